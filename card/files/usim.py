"""Files of a USIM that only people ask for (TS 31.102 §4.2, §4.4)."""

from __future__ import annotations

from card.coding import basic, network, numbers
from card.coding.network import Bootstrapping, Location, PreferredPlmn
from card.coding.numbers import DiallingNumber, EmergencyNumber, ServiceProvider, SmsParameters
from card.files.ef import OURS, Ef, Example, undecoded
from card.files.mf import access_rules

EF_LI = Ef(
    "EF_LI",
    0x6F05,
    0x02,
    numbers.decode_languages,
    numbers.encode_languages,
    examples=(Example("656EFFFF", ("en",), OURS),),
)

EF_HPPLMN = Ef(
    "EF_HPPLMN",
    0x6F31,
    0x12,
    network.decode_search_interval,
    network.encode_search_interval,
    examples=(Example("05", 30, OURS), Example("00", 0, OURS)),
)

EF_MSISDN = Ef(
    "EF_MSISDN",
    0x6F40,
    None,
    numbers.decode_dialling_number,
    numbers.encode_dialling_number,
    examples=(
        Example(
            "4D65" + "079194714301" + "32F5" + "FFFFFFFF" + "FFFF",
            DiallingNumber("+49173410235", "Me"),
            OURS,
        ),
        Example("0481214365" + "FF" * 7 + "FFFF", DiallingNumber("123456"), OURS),
    ),
    linear=True,
)

EF_SMSP = Ef(
    "EF_SMSP",
    0x6F42,
    None,
    numbers.decode_sms_parameters,
    numbers.encode_sms_parameters,
    examples=(
        Example(
            "FD" + "FF" * 12 + "0791947122723033" + "FFFFFFFF" + "FFFFFF",
            SmsParameters("+491722270333"),
            OURS,
        ),
        Example(
            "534D53" + "E0" + "0491" + "2143" + "FF" * 8 + "0291" + "53" + "FF" * 9 + "0000A7",
            SmsParameters("+35", "SMS", "+1234", 0, 0, 0xA7),
            OURS,
        ),
    ),
    linear=True,
)

EF_SPN = Ef(
    "EF_SPN",
    0x6F46,
    None,
    numbers.decode_service_provider,
    numbers.encode_service_provider,
    examples=(
        Example("017369707561" + "FF" * 11, ServiceProvider("sipua", 1), OURS),
        Example("008065E5672C" + "FF" * 11, ServiceProvider("\u65e5\u672c", 0), OURS),
    ),
)

EF_ACC = Ef(
    "EF_ACC",
    0x6F78,
    0x06,
    network.decode_access_classes,
    network.encode_access_classes,
    examples=(Example("0200", frozenset({9}), OURS), Example("8001", frozenset({0, 15}), OURS)),
)

EF_FPLMN = Ef(
    "EF_FPLMN",
    0x6F7B,
    0x0D,
    network.decode_plmns,
    network.encode_plmns,
    examples=(Example("62F220130014" + "FF" * 6, ("262-02", "310-410"), OURS),),
)

EF_EHPLMN = Ef(
    "EF_EHPLMN",
    0x6FD9,
    0x1D,
    network.decode_plmns,
    network.encode_plmns,
    examples=(Example("00F110FFFFFF", ("001-01",), OURS),),
)


def _selector(name: str, fid: int, sfi: int) -> Ef[tuple[PreferredPlmn, ...]]:
    return Ef(
        name,
        fid,
        sfi,
        network.decode_preferred,
        network.encode_preferred,
        examples=(
            Example(
                "62F210C08000F1100800",
                (
                    PreferredPlmn("262-01", ("UTRAN", "E-UTRAN", "GSM")),
                    PreferredPlmn("001-01", ("NG-RAN",)),
                ),
                OURS,
            ),
        ),
    )


EF_PLMNWACT = _selector("EF_PLMNwAcT", 0x6F60, 0x0A)
EF_OPLMNWACT = _selector("EF_OPLMNwAcT", 0x6F61, 0x11)
EF_HPLMNWACT = _selector("EF_HPLMNwAcT", 0x6F62, 0x13)

EF_LOCI = Ef(
    "EF_LOCI",
    0x6F7E,
    0x0B,
    network.decode_loci,
    network.encode_loci,
    examples=(
        Example("1234ABCD62F2101234FF00", Location("1234ABCD", "262-01", "1234", 0), OURS),
        Example("FFFFFFFFFFFFFF0000FF01", Location("FFFFFFFF", "", "0000", 1), OURS),
    ),
)

EF_PSLOCI = Ef(
    "EF_PSLOCI",
    0x6F73,
    0x0C,
    network.decode_psloci,
    network.encode_psloci,
    examples=(
        Example(
            "C0123456AABBCC62F21012340501",
            Location("C0123456AABBCC", "262-01", "123405", 1),
            OURS,
        ),
    ),
)

EF_EPSLOCI = Ef(
    "EF_EPSLOCI",
    0x6FE3,
    0x1E,
    network.decode_epsloci,
    network.encode_psloci,
    examples=(
        Example(
            "FF" * 12 + "62F210" + "0001" + "01", Location("FF" * 12, "262-01", "0001", 1), OURS
        ),
    ),
)

EF_EST = Ef(
    "EF_EST",
    0x6F56,
    0x05,
    basic.decode_services,
    basic.encode_services,
    examples=(Example("04", frozenset({3}), OURS),),
)

EF_ECC = Ef(
    "EF_ECC",
    0x6FB7,
    0x01,
    numbers.decode_emergency_number,
    numbers.encode_emergency_number,
    examples=(
        Example("11F2FF00", EmergencyNumber("112"), OURS),
        Example("19F1FF" + "506F6C697A6569" + "01", EmergencyNumber("911", "Polizei", 1), OURS),
    ),
    linear=True,
)

EF_GBABP = Ef(
    "EF_GBABP",
    0x6FD6,
    None,
    network.decode_bootstrapping,
    network.encode_bootstrapping,
    examples=(
        Example(
            "10" + "AB" * 16 + "0362407803363030FF", Bootstrapping("AB" * 16, "b@x", "600"), OURS
        ),
    ),
)

MORE_USIM_FILES = (
    *(EF_LI, EF_HPPLMN, EF_MSISDN, EF_SMSP, EF_SPN, EF_ACC, EF_FPLMN, EF_EHPLMN),
    *(EF_PLMNWACT, EF_OPLMNWACT, EF_HPLMNWACT, EF_LOCI, EF_PSLOCI, EF_EPSLOCI),
    *(EF_EST, EF_ECC, EF_GBABP),
    access_rules(0x6F06, 0x17),
    undecoded("EF_Keys", 0x6F08, 0x08, secret=True),
    undecoded("EF_KeysPS", 0x6F09, 0x09, secret=True),
    undecoded("EF_EPSNSC", 0x6FE4, 0x18, linear=True, secret=True),
    undecoded("EF_DCK", 0x6F2C),
    undecoded("EF_CNL", 0x6F32),
    undecoded("EF_ACMmax", 0x6F37),
    undecoded("EF_ACM", 0x6F39, linear=True),
    undecoded("EF_FDN", 0x6F3B, linear=True),
    undecoded("EF_SMS", 0x6F3C, linear=True),
    undecoded("EF_GID1", 0x6F3E),
    undecoded("EF_GID2", 0x6F3F),
    undecoded("EF_PUCT", 0x6F41),
    undecoded("EF_SMSS", 0x6F43),
    undecoded("EF_CBMI", 0x6F45),
    undecoded("EF_SMSR", 0x6F47, linear=True),
    undecoded("EF_CBMID", 0x6F48, 0x0E),
    undecoded("EF_SDN", 0x6F49, linear=True),
    undecoded("EF_EXT2", 0x6F4B, linear=True),
    undecoded("EF_EXT3", 0x6F4C, linear=True),
    undecoded("EF_BDN", 0x6F4D, linear=True),
    undecoded("EF_EXT5", 0x6F4E, linear=True),
    undecoded("EF_CBMIR", 0x6F50),
    undecoded("EF_EXT4", 0x6F55, linear=True),
    undecoded("EF_ACL", 0x6F57),
    undecoded("EF_CMI", 0x6F58, linear=True),
    undecoded("EF_START-HFN", 0x6F5B, 0x0F),
    undecoded("EF_THRESHOLD", 0x6F5C, 0x10),
    undecoded("EF_ICI", 0x6F80, 0x14, linear=True),
    undecoded("EF_OCI", 0x6F81, 0x15, linear=True),
    undecoded("EF_ICT", 0x6F82, linear=True),
    undecoded("EF_OCT", 0x6F83, linear=True),
    undecoded("EF_NETPAR", 0x6FC4),
    undecoded("EF_PNN", 0x6FC5, 0x19, linear=True),
    undecoded("EF_OPL", 0x6FC6, 0x1A, linear=True),
    undecoded("EF_MBDN", 0x6FC7, linear=True),
    undecoded("EF_MBI", 0x6FC9, linear=True),
    undecoded("EF_MWIS", 0x6FCA, linear=True),
    undecoded("EF_CFIS", 0x6FCB, linear=True),
    undecoded("EF_SPDI", 0x6FCD),
    undecoded("EF_GBANL", 0x6FDA, linear=True),
    undecoded("EF_EHPLMNPI", 0x6FDB),
    undecoded("EF_NAFKCA", 0x6FDD, linear=True),
)

GSM_ACCESS_FILES = (
    undecoded("EF_Kc", 0x4F20, 0x01, secret=True),
    undecoded("EF_KcGPRS", 0x4F52, 0x02, secret=True),
)

FIVE_G_FILES = (
    undecoded("EF_5GS3GPPLOCI", 0x4F01, 0x01),
    undecoded("EF_5GSN3GPPLOCI", 0x4F02, 0x02),
    undecoded("EF_5GS3GPPNSC", 0x4F03, 0x03, linear=True, secret=True),
    undecoded("EF_5GSN3GPPNSC", 0x4F04, 0x04, linear=True, secret=True),
    undecoded("EF_5GAUTHKEYS", 0x4F05, 0x05, secret=True),
    undecoded("EF_UAC_AIC", 0x4F06, 0x06),
    undecoded("EF_SUCI_Calc_Info", 0x4F07, 0x07),
    undecoded("EF_OPL5G", 0x4F08, 0x08, linear=True),
    undecoded("EF_SUPI_NAI", 0x4F09, 0x09),
    undecoded("EF_Routing_Indicator", 0x4F0A, 0x0A),
)
