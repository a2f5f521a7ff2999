"""Run inside a namespace: sees every frame on one device, and writes them down as pcap."""

from __future__ import annotations

import socket
import struct
import sys
import threading

from obeying import obey

ALL_PROTOCOLS = 3  # ETH_P_ALL
IPV4 = b"\x08\x00"
NAMES = {1: "icmp", 6: "tcp", 17: "udp", 44: "fragment", 50: "esp", 58: "icmpv6"}


def protocol(frame: bytes) -> str:
    """What a frame carries, as IP says."""
    kind = frame[12:14]
    if kind == IPV4:
        return NAMES.get(frame[23], str(frame[23]))
    if kind == b"\x86\xdd":
        number = frame[20]
        if number == 44:
            number = frame[54]  # the fragment header says what it is a part of
        return NAMES.get(number, str(number))
    return kind.hex()


class Sniffer:
    def __init__(self, device: str) -> None:
        self.frames: list[bytes] = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self.socket.bind((device, 0))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        while True:
            self.frames.append(self.socket.recv(65535))

    def protocols(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for frame in list(self.frames):
            name = protocol(frame)
            found[name] = found.get(name, 0) + 1
        return found

    def contains(self, text: str) -> bool:
        return any(text.encode() in frame for frame in list(self.frames))

    def forget(self) -> bool:
        self.frames.clear()
        return True

    def esp(self) -> list[str]:
        """Every ESP frame from the Ethernet header on, as hex."""
        return [frame.hex() for frame in list(self.frames) if protocol(frame) == "esp"]

    def spis(self) -> list[int]:
        """Those of the ESP over IPv4 that was seen."""
        seen = [frame for frame in list(self.frames) if protocol(frame) == "esp"]
        headers = [frame[14 + 4 * (frame[14] & 15) :] for frame in seen if frame[12:14] == IPV4]
        return sorted({int.from_bytes(each[:4], "big") for each in headers})

    def udp_payloads(self) -> list[str]:
        """What UDP over IPv4 carried, as hex."""
        return [
            frame[14 + 4 * (frame[14] & 15) + 8 :].hex()
            for frame in list(self.frames)
            if protocol(frame) == "udp" and frame[12:14] == IPV4
        ]

    def inject(self, frame: str) -> int:
        """Send a frame as it is; it is seen by the other end of the cable."""
        return self.socket.send(bytes.fromhex(frame))

    def write(self, path: str) -> int:
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for number, frame in enumerate(list(self.frames)):
                file.write(struct.pack("<IIII", 0, number, len(frame), len(frame)) + frame)
        return len(self.frames)


def main() -> None:
    sniffer = Sniffer(sys.argv[1])
    obey(sniffer)


if __name__ == "__main__":
    main()
