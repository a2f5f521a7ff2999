"""Files of the directories that cards had before the USIM (TS 51.011 §10.3, §10.5), and what
came into DF.TELECOM since (TS 31.102 §4.5)."""

from __future__ import annotations

from card.coding import basic, network
from card.files.ef import EF_AD, EF_IMSI, OURS, Ef, Example, undecoded
from card.files.usim import EF_ACC, EF_FPLMN, EF_HPPLMN, EF_LOCI, EF_MSISDN, EF_SMSP, EF_SPN

EF_SST = Ef(
    "EF_SST",
    0x6F38,
    None,
    network.decode_sim_services,
    network.encode_sim_services,
    examples=(Example("3F03", frozenset({1, 2, 3, 5}), OURS),),
)

EF_PLMNSEL = Ef(
    "EF_PLMNsel",
    0x6F30,
    None,
    network.decode_plmns,
    network.encode_plmns,
    examples=(Example("62F210" + "FF" * 21, ("262-01",), OURS),),
)

EF_PSISMSC = Ef(
    "EF_PSISMSC",
    0x6FE5,
    None,
    basic.decode_text,
    basic.encode_text,
    examples=(Example("800A7369703A736D73634062FFFF", "sip:smsc@b", OURS),),
    linear=True,
)

GSM_FILES = (
    *(EF_IMSI, EF_AD, EF_SST, EF_PLMNSEL, EF_HPPLMN, EF_SPN, EF_ACC, EF_FPLMN, EF_LOCI),
    undecoded("EF_LP", 0x6F05),
    undecoded("EF_Kc", 0x6F20, secret=True),
    undecoded("EF_BCCH", 0x6F74),
    undecoded("EF_KcGPRS", 0x6F52, secret=True),
    undecoded("EF_LOCIGPRS", 0x6F53),
    undecoded("EF_Phase", 0x6FAE),
)

TELECOM_FILES = (
    *(EF_MSISDN, EF_SMSP, EF_PSISMSC),
    undecoded("EF_ADN", 0x6F3A, linear=True),
    undecoded("EF_FDN", 0x6F3B, linear=True),
    undecoded("EF_SMS", 0x6F3C, linear=True),
    undecoded("EF_SMSS", 0x6F43),
    undecoded("EF_SMSR", 0x6F47, linear=True),
    undecoded("EF_EXT1", 0x6F4A, linear=True),
)
