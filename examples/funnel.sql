-- How many people each campaign was sent to, and how many of them opened and clicked it.

.read examples/warehouse.sql
.mode column

select
    coalesce(any_value(campaign.name), any_value(event.subject) filter (event.type = 'SENT')) as campaign,
    count(distinct user_id) filter (event.type = 'SENT') as sent,
    count(distinct user_id) filter (event.type = 'DELIVERED') as delivered,
    count(distinct user_id) filter (event.type = 'OPEN' and filtered_event is not true) as opened,
    count(distinct user_id) filter (event.type = 'CLICK') as clicked
from email_event as event
left join email_campaigns as campaign
    on campaign.id = event.email_campaign_id and campaign.app_id = event.app_id
group by email_campaign_id
order by min(created);
