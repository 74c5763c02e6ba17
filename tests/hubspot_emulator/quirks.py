"""What HubSpot is seen to do, or may do: each behaviour that a test can switch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Quirks:
    """The defaults are what is documented or observed; where neither is known, the more hostile guess."""

    # A look-up by name that misses is a 404 to most, a 400 in Segment's recorded answers.
    missing_list_status: int = 404
    # Searches that a list made or renamed a moment ago is missing from (search is eventually consistent).
    search_lag: int = 0
    # The published schemas say recordsIdsAdded; an older documentation page prints recordIdsAdded.
    added_key: str = "recordsIdsAdded"
    # Live answers leave out the arrays that are empty, though the schema requires them.
    omits_empty_arrays: bool = True
    # Record ids a membership call may hold (no figure is documented), and the answer to more: 413 or 400.
    max_ids_per_call: int | None = None
    too_many_ids_status: int = 413
    # Record ids for whose sake a membership call is refused as a whole, and whether the message says which they are.
    refused_record_ids: set[str] = field(default_factory=set)
    names_refused_ids: bool = False
    # Lists, by id, that take no calls with ids to "add", or to "remove"; portals have been seen to say so in a 400.
    locked_lists: dict[str, set[str]] = field(default_factory=dict)
    # Seconds HubSpot takes for each record id: a call over 100 s is answered 524, without waiting here.
    seconds_per_id: float = 0.0
    # Whether a call that was answered 524 took effect all the same. Hostile guess: it did.
    applies_after_524: bool = True
    # Whether a membership call takes an id that a merge retired for the contact it is now: not documented.
    follows_merged_ids: bool = False
    # Record ids that an add reports as added without adding them.
    dropped_record_ids: set[str] = field(default_factory=set)
    # Membership reads that still show a list as it was before a call changed it, and for how many seconds they do.
    membership_lag: int = 0
    membership_lag_seconds: float = 0.0
    # Seconds for which reads show a contact as it was before a write: a new one not at all, a merged one unmerged.
    contact_lag: float = 0.0
    # Seconds for which membership calls name a contact that was just made, or just merged, as missing.
    new_contact_lag: float = 0.0
    # Whether a merge by the API keeps the primary contact's id: a public beta, the default is a new id.
    merges_keep_primary_id: bool = False
    # Whether a value of a unique property is found, and taken, whatever its case. Not documented.
    unique_values_ignore_case: bool = False
    # Inputs for whose sake contacts' batch/read is refused as a whole, without a word which they are.
    refused_look_ups: set[str] = field(default_factory=set)
    # Addresses or record ids that contacts' batch/read leaves out of results and errors alike, and how often.
    omitted_inputs: dict[str, int] = field(default_factory=dict)
    # Whether making a property under an archived one's name restores that one, or is a conflict. Seen: it restores.
    restores_archived_properties: bool = True
    # Whether account details are refused with 403, as an account or a token may do whatever its scopes.
    refuses_account_info: bool = False
    # Bytes of path and query; a longer one is 414. The status is documented, the figure is a guess.
    longest_target: int = 8_192
    # Seconds for which an offset of email events is good: documented as short-lived, no figure given.
    offset_life: float = 3600.0
    # Pages of email events that say hasMore and give no offset (seen in 2017), counted down.
    pages_without_offset: int = 0
    # Whether pages of email events go on saying hasMore, with an offset, behind the last event.
    event_pages_never_end: bool = False
    # Whether an event at endTimestamp itself is sent: documented as "at or before", observed by Estuary.
    event_end_is_inclusive: bool = True
    # Milliseconds from startTimestamp to endTimestamp: for more, email events are answered 500, or by the CDN 520.
    widest_event_window: int | None = None
    widest_event_window_status: int = 500
    # Whether objectWriteTraceId gives per-input errors (documented), or the batch is refused as a whole.
    honours_trace_ids: bool = True
    # Whether an error of one input names it by its trace id.
    names_trace_ids: bool = True
