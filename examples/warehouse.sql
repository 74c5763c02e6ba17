-- The warehouse: what `meltano run tap-hubspot-email-events target-csv` has written so far, as one view.
-- A file holds the events of one run. An event that came twice counts once, as it was last seen.

create or replace temp macro events(stream) as table (
    from read_csv(
        getenv('DUCKDB_WAREHOUSE') || '/' || stream || '-*.csv',
        delim = ',', quote = '"', escape = '"', header = true, all_varchar = true, union_by_name = true,
        filename = true
    )
    select * replace (
        created::timestamptz as created,
        app_id::bigint as app_id,
        email_campaign_id::bigint as email_campaign_id,
        filtered_event::boolean as filtered_event
    )
    qualify row_number() over (partition by id, created order by filename desc) = 1
);

create or replace temp view email_event as
    from events('email_event_sent')
    union all by name from events('email_event_dropped')
    union all by name from events('email_event_processed')
    union all by name from events('email_event_delivered')
    union all by name from events('email_event_deferred')
    union all by name from events('email_event_bounce')
    union all by name from events('email_event_open')
    union all by name from events('email_event_click')
    union all by name from events('email_event_status_change')
    union all by name from events('email_event_spam_report');

-- The campaigns by name; none where the portal has none, or the stream `email_campaigns` is not selected.
set variable campaign_files = (
    select ['examples/no-campaigns.csv'] || coalesce(list(file), [])
    from glob(getenv('DUCKDB_WAREHOUSE') || '/email_campaigns-*.csv')
);

create or replace temp view email_campaigns as
    from read_csv(
        getvariable('campaign_files'),
        delim = ',', quote = '"', escape = '"', header = true, all_varchar = true, union_by_name = true,
        filename = true
    )
    select * replace (id::bigint as id, app_id::bigint as app_id)
    qualify row_number() over (partition by id, app_id order by filename desc) = 1;
