-- Who is not on the list they should be on, since when, and why: from the report's lines in the warehouse.
-- The views are those of examples/outcome_views.sql; here they stand over the files that
-- `meltano run outcomes-to-warehouse` has written so far.

create or replace temp table hubspot_list_report as
    from read_csv(
        getenv('DUCKDB_WAREHOUSE') || '/hubspot_list_report-*.csv',
        delim = ',', quote = '"', escape = '"', header = true, all_varchar = true, union_by_name = true
    );

-- Postgres has it under this name.
create or replace macro to_jsonb(value) as to_json(value);

.read examples/outcome_views.sql
.mode column

select list_name as list, member, operation as asked, coalesce(reason, outcome) as why, since::date as since
from members_not_in_place
order by list, member;
