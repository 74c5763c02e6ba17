from __future__ import annotations

import inspect

import hubspot_singer.http


def test_all_names_what_can_be_imported_and_nothing_else() -> None:
    public = {
        name
        for name, member in vars(hubspot_singer.http).items()
        if not name.startswith("_") and not inspect.ismodule(member) and name != "annotations"
    }

    assert sorted(hubspot_singer.http.__all__) == sorted(public)


def test_all_errors_of_the_family_are_exported() -> None:
    family = {
        name
        for name, member in vars(hubspot_singer.http.errors).items()
        if inspect.isclass(member) and issubclass(member, hubspot_singer.http.HubSpotError)
    }

    assert family <= set(hubspot_singer.http.__all__)
