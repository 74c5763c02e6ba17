"""Which addresses HubSpot takes for a new contact: stricter than syntax, it knows the top-level domains."""

from __future__ import annotations

import re

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")

# Refused by HubSpot although well-formed: ada@example.con, ada@example.ik. A subset of
# https://data.iana.org/TLD/tlds-alpha-by-domain.txt: all country codes, and generic ones in wide use.
_COUNTRIES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw
by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et
eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie
il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv
ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr
nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl
sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va
vc ve vg vi vn vu wf ws ye yt za zm zw
"""
_GENERIC = """
aero agency ai app asia band bank bar bike biz blog build business cafe capital care cat center chat
city cloud club coach codes com community company consulting cool coop digital dev domains edu
education email energy engineering events expert family farm fashion finance fit fitness foundation
fun fund games gallery global gmbh gov graphics green group guide guru health help house icu info
ink inc institute int jobs kitchen land law legal life link live llc loan ltd management marketing
media mil mobi money museum music name net network news ngo one ong online org page partners photo
photography post press pro productions pub realty rest restaurant review reviews run sale school
science services shop show site social software solar solutions space store studio support systems
team tech technology tel tips today tools top tours town trade training travel university vip web
website wiki win wine work works world wtf xyz zone
"""
TOP_LEVEL_DOMAINS = frozenset((_COUNTRIES + _GENERIC).split())


def is_valid_email(address: str) -> bool:
    """Whether HubSpot would take the address in a create or an update."""
    local, at, domain = address.rpartition("@")
    labels = domain.split(".")
    return (
        bool(at)
        and len(local) <= 64
        and len(address) <= 254
        and _LOCAL.fullmatch(local) is not None
        and len(labels) >= 2
        and all(_LABEL.fullmatch(label) for label in labels)
        and labels[-1].lower() in TOP_LEVEL_DOMAINS
    )
