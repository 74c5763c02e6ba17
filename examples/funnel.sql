-- How many people each campaign was sent to, and how many of them opened and clicked it.

.read examples/warehouse.sql
.mode column

select
    any_value(subject) filter (type = 'SENT') as campaign,
    count(distinct user_id) filter (type = 'SENT') as sent,
    count(distinct user_id) filter (type = 'DELIVERED') as delivered,
    count(distinct user_id) filter (type = 'OPEN' and filtered_event is not true) as opened,
    count(distinct user_id) filter (type = 'CLICK') as clicked
from email_event
group by email_campaign_id
order by min(created);
