-- The table `email_event` that dbt_hubspot reads beside the table of each type: what all events share, over
-- the ten tables of tap-hubspot-email-events. Put your schema's name before the tables if need be. The table
-- email_event_other, of a stream that is not selected by default, has the same columns: add it if you load it.
--
-- An event that HubSpot changed later, as `obsoleted_by_id` tells, comes again under the same key: let the
-- target upsert by `id` and `created`, as most do.

create view email_event as
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_sent
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_dropped
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_processed
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_delivered
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_deferred
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_bounce
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_open
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_click
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_status_change
union all
select
    id, created, type, event_name, user_id, recipient, portal_id, app_id, app_name,
    email_campaign_id, email_campaign_group_id, filtered_event, sent_by_id, sent_by_created,
    caused_by_id, caused_by_created, obsoleted_by_id, obsoleted_by_created, smtp_id, send_id,
    hmid, extra
from email_event_spam_report;
