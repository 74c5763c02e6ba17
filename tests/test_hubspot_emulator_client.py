"""HubSpot's own Python client (https://github.com/HubSpot/hubspot-api-python) works against the emulator.

Its answer classes insist on the fields that HubSpot's schemas require, so parsing is a check in itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hubspot import HubSpot  # type: ignore[import-untyped]
from hubspot.crm import contacts, lists, properties  # type: ignore[import-untyped]

from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

Client = Any  # HubSpot's client is not typed


@pytest.fixture
def hubspot() -> Iterator[HubSpotEmulator]:
    with HubSpotEmulator(Portal()) as running:
        # The client's membership answer insists on all three arrays, which live answers leave out when empty.
        running.portal.quirks.omits_empty_arrays = False
        yield running


@pytest.fixture
def client(hubspot: HubSpotEmulator) -> Client:
    return HubSpot(access_token=hubspot.token, host=hubspot.url)


def make_list(client: Client, name: str) -> str:
    wanted = lists.ListCreateRequest(name=name, object_type_id="0-1", processing_type="MANUAL")
    return str(client.crm.lists.lists_api.create(wanted).list.list_id)


def test_the_client_makes_finds_renames_and_deletes_lists(hubspot: HubSpotEmulator, client: Client) -> None:
    api = client.crm.lists.lists_api
    made = make_list(client, "VIP / gold")

    by_name = api.get_by_name(list_name="vip / GOLD", object_type_id="0-1").list
    request = lists.ListSearchRequest(additional_properties=[], offset=0, query="vip")
    found = api.do_search(request)
    renamed = api.update_name(made, list_name="VIP").updated_list
    api.remove(made)
    api.restore(made)

    assert by_name.list_id == made
    assert by_name.created_at.utcoffset() is not None
    assert [(each.name, found.has_more) for each in found.lists] == [("VIP / gold", False)]
    assert renamed.name == "VIP"
    assert [each.list_id for each in api.get_all(list_ids=[made]).lists] == [made]
    assert hubspot.portal.list_names() == {"VIP"}


def test_the_client_sees_a_duplicate_name_as_a_400(client: Client) -> None:
    make_list(client, "VIP")

    with pytest.raises(lists.ApiException) as refused:
        make_list(client, "vip")

    assert refused.value.status == 400
    assert "ILS.DUPLICATE_LIST_NAMES" in refused.value.body


def test_the_client_changes_and_reads_memberships(hubspot: HubSpotEmulator, client: Client) -> None:
    ids = hubspot.portal.add_contacts(3)
    target = make_list(client, "VIP")
    api = client.crm.lists.memberships_api

    change = lists.MembershipChangeRequest(record_ids_to_add=[*ids, "7"], record_ids_to_remove=[])
    added = api.add_and_remove(target, change)
    removed = api.remove(target, [ids[0]])
    page = api.get_page(target, limit=1)
    of_record = api.get_lists("0-1", ids[1]).results

    assert (sorted(added.records_ids_added), added.record_ids_missing) == (list(ids), ["7"])
    assert removed.record_ids_removed == [ids[0]]
    assert (page.results[0].record_id, page.paging.next.after is not None) == (ids[1], True)
    assert [each.list_id for each in of_record] == [target]
    assert hubspot.portal.members("VIP") == set(ids[1:])


def test_the_client_creates_and_reads_contacts_in_batches(hubspot: HubSpotEmulator, client: Client) -> None:
    api = client.crm.contacts.batch_api
    inputs = [
        contacts.SimplePublicObjectBatchInputForCreate(
            properties={"email": f"{name}@example.com"}, associations=[], object_write_trace_id=name
        )
        for name in ("ada", "bob")
    ]

    created = api.create(contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs))
    asked = [contacts.SimplePublicObjectId(id=f"{name}@example.com") for name in ("ada", "cyd")]
    request = contacts.BatchReadInputSimplePublicObjectId(
        inputs=asked, id_property="email", properties=["email"], properties_with_history=[]
    )
    read = api.read(request)

    assert created.status == "COMPLETE"
    assert {each.object_write_trace_id for each in created.results} == {"ada", "bob"}
    assert isinstance(read, contacts.BatchResponseSimplePublicObjectWithErrors)
    assert [each.properties["email"] for each in read.results] == ["ada@example.com"]
    assert read.errors[0].context == {"ids": ["cyd@example.com"]}
    assert hubspot.portal.emails() == {"ada@example.com", "bob@example.com"}


def test_the_client_changes_merges_and_archives_contacts(hubspot: HubSpotEmulator, client: Client) -> None:
    ada, bob = (hubspot.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))
    basic, batch = client.crm.contacts.basic_api, client.crm.contacts.batch_api

    changes = [contacts.SimplePublicObjectBatchInput(id=ada, properties={"city": "Lyon"})]
    batch.update(contacts.BatchInputSimplePublicObjectBatchInput(inputs=changes))
    upserts = [
        contacts.SimplePublicObjectBatchInputUpsert(
            id="cyd@example.com", id_property="email", properties={"email": "cyd@example.com"}
        )
    ]
    upserted = batch.upsert(contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=upserts))
    merged = basic.merge(contacts.PublicMergeInput(primary_object_id=ada, object_id_to_merge=bob))
    everybody = basic.get_page(limit=100, properties=["email"]).results
    basic.archive(merged.id)

    assert upserted.results[0].new is True
    assert basic.get_by_id("cyd@example.com", id_property="email").id == upserted.results[0].id
    assert {each.properties["email"] for each in everybody} == {"ada@example.com", "cyd@example.com"}
    assert hubspot.portal.emails() == {"cyd@example.com"}


def test_the_client_works_with_properties_and_groups(hubspot: HubSpotEmulator, client: Client) -> None:
    api = client.crm.properties
    group = properties.PropertyGroupCreate(name="cohorts", label="Cohorts")
    option = properties.OptionInput(label="Realized", value="realized", hidden=False, display_order=0)
    wanted = properties.PropertyCreate(
        name="vip",
        label="VIP",
        type="enumeration",
        field_type="select",
        group_name="cohorts",
        options=[option],
    )

    api.groups_api.create("contacts", group)
    created = api.core_api.create("contacts", wanted)
    names = [each.name for each in api.core_api.get_all("contacts").results]

    assert (created.name, created.options[0].value) == ("vip", "realized")
    assert names[-1] == "vip"
    assert api.groups_api.get_by_name("contacts", "cohorts").label == "Cohorts"
    assert {each.name for each in hubspot.portal.properties.custom} == {"vip"}


def test_the_client_refreshes_a_token(hubspot: HubSpotEmulator, client: Client) -> None:
    app = hubspot.oauth

    answer = client.oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id=app.client_id,
        client_secret=app.client_secret,
        refresh_token=app.refresh_token,
    )

    refreshed = HubSpot(access_token=answer.access_token, host=hubspot.url)
    assert refreshed.crm.contacts.basic_api.get_page().results == []
    assert answer.expires_in == 1800
