-- Outcomes in the warehouse: views over the report's lines, one row for each, in the table `hubspot_list_report`
-- (`meltano run outcomes-to-warehouse` loads it). For Postgres as it is; for DuckDB by way of examples/outcomes.sql.
--
--   members_not_in_place          who is not on the list they should be on, since when, and why
--   members_who_cannot_be_mailed  who on the lists cannot be mailed, and why (check_mailability)
--   match_rate_by_list_and_day    what share of the members asked for HubSpot knows
--   last_complete_run_by_list     when a list was last brought to its end

-- A column of which no line has told yet is absent from the table, and null here. A line that was loaded twice counts
-- once: a run and a number name it. Times are in UTC.
create view hubspot_report_lines as
select distinct on (run_id, line) *
from (
    select
        j ->> 'kind' as kind,
        j ->> 'run_id' as run_id,
        (j ->> 'line')::integer as line,
        (j ->> 'time')::timestamp as time,
        (j ->> 'portal_id')::bigint as portal_id,
        j ->> 'list_id' as list_id,
        j ->> 'list_name' as list_name,
        j ->> 'list_url' as list_url,
        j ->> 'cohort' as cohort,
        j ->> 'member' as member,
        j ->> 'operation' as operation,
        j ->> 'record_id' as record_id,
        j ->> 'outcome' as outcome,
        (j ->> 'created')::boolean as created,
        j ->> 'reason' as reason,
        j ->> 'message' as message,
        j ->> 'correlation_id' as correlation_id,
        j ->> 'mailability' as mailability,
        (j ->> 'mailability_as_of')::timestamp as mailability_as_of,
        coalesce((j ->> 'asked')::integer, 0) as asked,
        coalesce((j ->> 'applied')::integer, 0) as applied,
        coalesce((j ->> 'added')::integer, 0) as added,
        coalesce((j ->> 'removed')::integer, 0) as removed,
        coalesce((j ->> 'missing')::integer, 0) as missing,
        coalesce((j ->> 'rejected')::integer, 0) as rejected,
        coalesce((j ->> 'skipped')::integer, 0) as skipped,
        coalesce((j ->> 'dropped')::integer, 0) as dropped,
        (j ->> 'exit_code')::integer as exit_code,
        (j ->> 'dry_run')::boolean as dry_run,
        j ->> 'sync_mode' as sync_mode,
        j ->> 'error' as error
    from (select to_jsonb(r) as j from hubspot_list_report as r) as loaded
) as typed
order by run_id, line;

-- One row for each run that is no dry run. A run that was killed has no line of its own.
create view hubspot_report_runs as
select run_id, portal_id, time as ended, exit_code, sync_mode, error
from hubspot_report_lines
where kind = 'run' and dry_run is not true;

-- The lines of members and lists, but for those of dry runs. A line that was written before the list was found has its
-- name and no id: `list` is the id where any line tells it.
create view hubspot_report_of_lists as
select lines.*, coalesce(lines.list_id, known.list_id, 'name ' || lower(lines.list_name)) as list
from hubspot_report_lines as lines
left join (
    select portal_id, lower(list_name) as name, max(list_id) as list_id
    from hubspot_report_lines
    where kind = 'list' and list_id is not null
    group by portal_id, lower(list_name)
) as known on known.portal_id = lines.portal_id and known.name = lower(lines.list_name)
where lines.kind in ('member', 'list')
    and lines.run_id not in (select run_id from hubspot_report_lines where kind = 'run' and dry_run);

-- The latest word on each member of each list, and whether that is as the source asked: nobody is on a list whom
-- HubSpot does not know. What a complete mirror does not name any more is over.
create view hubspot_report_members as
with told as (
    select
        lines.*,
        outcome in ('added', 'removed', 'already_member', 'not_a_member', 'unconfirmed')
            or (outcome = 'missing' and operation = 'remove') as is_in_place,
        row_number() over (partition by portal_id, list, member order by run_id desc, line desc) as position
    from hubspot_report_of_lists as lines
    where kind = 'member'
),
mirrored as (
    select lines.portal_id, lines.list, max(lines.run_id) as run_id
    from hubspot_report_of_lists as lines
    join hubspot_report_runs as runs on runs.run_id = lines.run_id
    where lines.kind = 'list' and runs.sync_mode = 'mirror' and runs.exit_code = 0
    group by lines.portal_id, lines.list
),
in_place as (
    select portal_id, list, member, max(run_id) as run_id
    from told
    where is_in_place
    group by portal_id, list, member
)
select
    latest.*,
    (
        select min(earlier.time)
        from told as earlier
        where earlier.list = latest.list
            and earlier.member = latest.member
            and earlier.portal_id is not distinct from latest.portal_id
            and not earlier.is_in_place
            and earlier.run_id > coalesce(in_place.run_id, '')
    ) as not_in_place_since
from told as latest
left join in_place
    on in_place.list = latest.list
    and in_place.member = latest.member
    and in_place.portal_id is not distinct from latest.portal_id
left join mirrored
    on mirrored.list = latest.list and mirrored.portal_id is not distinct from latest.portal_id
where latest.position = 1 and latest.run_id >= coalesce(mirrored.run_id, '');

create view members_not_in_place as
select
    portal_id, list_id, list_name, cohort, member, record_id, operation, outcome, reason, message,
    not_in_place_since as since, time as last_told, run_id, list_url
from hubspot_report_members
where not is_in_place;

create view members_who_cannot_be_mailed as
select
    portal_id, list_id, list_name, cohort, member, record_id, mailability as why, mailability_as_of as as_of,
    time as last_told, list_url
from hubspot_report_members
where mailability is not null and mailability <> 'mailable';

create view match_rate_by_list_and_day as
select
    portal_id,
    list_id,
    max(list_name) as list_name,
    time::date as day,
    count(distinct run_id) as runs,
    sum(asked)::bigint as asked,
    sum(applied)::bigint as in_place,
    sum(missing)::bigint as missing,
    sum(rejected)::bigint as rejected,
    round(1.0 - sum(missing + rejected) * 1.0 / nullif(sum(asked), 0), 4) as match_rate
from hubspot_report_of_lists
where kind = 'list'
group by portal_id, list_id, list, time::date;

create view last_complete_run_by_list as
select
    lines.portal_id,
    lines.list_id,
    max(lines.list_name) as list_name,
    max(lines.time) as last_run,
    max(lines.time) filter (where runs.exit_code = 0 and lines.skipped = 0) as last_complete_run
from hubspot_report_of_lists as lines
left join hubspot_report_runs as runs on runs.run_id = lines.run_id
where lines.kind = 'list'
group by lines.portal_id, lines.list_id, lines.list;
