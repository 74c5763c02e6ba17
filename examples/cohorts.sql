-- The cohort: who opened "November notes" in the last 14 days and did not click. One row for everybody who ever
-- opened it, so that those who have clicked since, or have not looked for too long, leave the list again.

.read examples/warehouse.sql

create or replace temp view reader as
    select
        user_id as email,
        max(created) filter (event.type = 'OPEN') as last_opened,
        bool_or(event.type = 'CLICK') as has_clicked
    from email_event as event
    join email_campaigns as campaign
        on campaign.id = event.email_campaign_id and campaign.app_id = event.app_id
    where campaign.name = 'November notes' and filtered_event is not true
    group by user_id
    having last_opened is not null;

set variable destination = getenv('DUCKDB_WAREHOUSE') || '/cohorts.jsonl';

copy (
    select
        email,
        'november-notes' as cohort_id,
        'Opened November notes, did not click' as cohort_name,
        if(last_opened > now() - interval 14 days and not has_clicked, 'add', 'remove') as operation
    from reader
    order by email
) to (getvariable('destination')) (format json);
