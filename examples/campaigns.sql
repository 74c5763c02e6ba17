-- The campaigns' figures for `hubspot-lists-report --campaigns`: from sent to clicked, bounces by category, and by day.
-- In people: each counts once, however often they opened or clicked. What the portal's filters match is left out.

.read examples/warehouse.sql

create or replace temp view event_of_campaign as
    select
        email_campaign_id as campaign_id,
        app_id,
        case
            when type = 'SENT' then 'sent'
            when type = 'DELIVERED' then 'delivered'
            when type = 'OPEN' then 'opened'
            when type = 'CLICK' then 'clicked'
            when type = 'DROPPED' then 'dropped'
            when type = 'BOUNCE' then 'bounced'
            when type = 'SPAMREPORT' then 'reported_spam'
            -- Towards all emails, or towards a subscription of theirs.
            when portal_subscription_status = 'UNSUBSCRIBED' then 'unsubscribed'
            when subscriptions like '%"UNSUBSCRIBED"%' then 'unsubscribed'
        end as what,
        user_id,
        created,
        created::date as day,
        category,
        subject
    from email_event
    where email_campaign_id is not null and filtered_event is not true;

set variable destination = getenv('DUCKDB_WAREHOUSE') || '/campaigns.jsonl';

copy (
    select
        'campaign' as kind,
        event.campaign_id || '/' || event.app_id as campaign_id,
        any_value(campaign.name) as name,
        coalesce(any_value(campaign.subject), any_value(event.subject)) as subject,
        strftime(min(created) filter (what = 'sent') at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ') as sent_at,
        count(distinct user_id) filter (what = 'sent') as sent,
        count(distinct user_id) filter (what = 'delivered') as delivered,
        count(distinct user_id) filter (what = 'opened') as opened,
        count(distinct user_id) filter (what = 'clicked') as clicked,
        count(distinct user_id) filter (what = 'dropped') as dropped,
        count(distinct user_id) filter (what = 'bounced') as bounced,
        count(distinct user_id) filter (what = 'unsubscribed') as unsubscribed,
        count(distinct user_id) filter (what = 'reported_spam') as reported_spam
    from event_of_campaign as event
    left join email_campaigns as campaign on campaign.id = event.campaign_id and campaign.app_id = event.app_id
    group by event.campaign_id, event.app_id

    union all by name

    select 'bounce' as kind, campaign_id || '/' || app_id as campaign_id, category, count(distinct user_id) filter (what = 'bounced') as people
    from event_of_campaign
    where what = 'bounced'
    group by campaign_id, app_id, category

    union all by name

    select
        'day' as kind,
        campaign_id || '/' || app_id as campaign_id,
        strftime(day, '%Y-%m-%d') as day,
        count(distinct user_id) filter (what = 'opened') as opened,
        count(distinct user_id) filter (what = 'clicked') as clicked,
        count(distinct user_id) filter (what = 'bounced') as bounced,
        count(distinct user_id) filter (what = 'unsubscribed') as unsubscribed
    from event_of_campaign
    group by campaign_id, app_id, day
) to (getvariable('destination')) (format json);
