-- The views that the groups read, in a warehouse (Postgres here) with a table
-- cohort_members (email, cohort_id, cohort_name, operation).
--
-- A cohort must stay in its group. Its list is locked by the run that writes to it, so that two groups with one cohort
-- would wait for each other; and two groups keep two STATEs, of which neither knows what the other has read.
-- So the group follows from the cohort's id alone: not from its size, its name or its place in an order.
-- Where a cohort has to be moved, or one is as large as all others, a column `cohort_group` in the table of cohorts does
-- the same; move it while nothing runs, and let the next run of its new group read it from the beginning.

create view cohort_members_grouped as
    select *, ('x' || left(md5(cohort_id), 8))::bit(32)::bigint % 4 + 1 as cohort_group
    from cohort_members;

create view cohort_members_1 as select * from cohort_members_grouped where cohort_group = 1;
create view cohort_members_2 as select * from cohort_members_grouped where cohort_group = 2;
create view cohort_members_3 as select * from cohort_members_grouped where cohort_group = 3;
create view cohort_members_4 as select * from cohort_members_grouped where cohort_group = 4;
