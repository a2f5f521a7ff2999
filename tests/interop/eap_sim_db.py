"""Where hostapd fetches vectors: its eap_sim_db protocol, text datagrams on a UNIX socket.

hostapd asks ``AKA-REQ-AUTH IMSI``, ``SIM-REQ-AUTH IMSI COUNT`` or tells
``AKA-AUTS IMSI AUTS RAND``; only the first two are answered.
"""

from __future__ import annotations

import secrets
import socket
import threading
from pathlib import Path

from interop.osmo_auc import OsmoAuc

_END = b"END"


class EapSimDb:
    """Answers at ``path`` for the subscribers in ``aucs``, IMSI to authentication centre.

    ``requests`` is what hostapd asked, ``sqn_ms`` what AUTS told. With
    ``spoil_res`` the RES that hostapd is given is another than the card's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aucs: dict[str, OsmoAuc] = {}
        self.requests: list[str] = []
        self.sqn_ms: list[int] = []
        self.spoil_res = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._serve, name="eap_sim_db")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.sendto(_END, str(self.path))
        self._thread.join()
        self._socket.close()

    def forget(self) -> None:
        """Begin anew: no subscribers, nothing asked."""
        self.aucs.clear()
        self.requests.clear()
        self.sqn_ms.clear()
        self.spoil_res = False

    def _serve(self) -> None:
        while True:
            asked, asker = self._socket.recvfrom(4096)
            if asked == _END:
                return
            answer = self._answer(*asked.decode("ascii").split())
            if answer:
                self._socket.sendto(answer.encode("ascii"), asker)

    def _answer(self, request: str, imsi: str, *arguments: str) -> str:
        self.requests.append(request)
        auc = self.aucs.get(imsi)
        match request, arguments:
            case "AKA-REQ-AUTH", ():
                return f"AKA-RESP-AUTH {imsi} {self._quintuplet(auc) if auc else 'FAILURE'}"
            case "SIM-REQ-AUTH", (count,):
                triplets = [_triplet(auc) for _ in range(int(count))] if auc else ["FAILURE"]
                return f"SIM-RESP-AUTH {imsi} {' '.join(triplets)}"
            case "AKA-AUTS", (auts, rand) if auc:
                self.sqn_ms.append(auc.resynchronise(bytes.fromhex(auts), bytes.fromhex(rand)))
        return ""

    def _quintuplet(self, auc: OsmoAuc) -> str:
        vector = auc.vector()
        if self.spoil_res:
            vector["RES"] = bytes(x ^ 0xFF for x in bytes.fromhex(vector["RES"])).hex()
        return " ".join(vector[name] for name in ("RAND", "AUTN", "IK", "CK", "RES"))


def _triplet(auc: OsmoAuc) -> str:
    rand = secrets.token_bytes(16)
    sres, kc = auc.triplet(rand)
    return f"{kc}:{sres}:{rand.hex()}"
