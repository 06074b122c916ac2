"""A chat endpoint that answers after a fixed time, and a picture server beside it, both on asyncio in one process.

Run as a script it prints its port and serves until it is killed. Knows nothing of the product but the reply's form.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
from pathlib import Path

READY = json.dumps({"ready": True, "seen": [], "sure": 90})
NOTHING = json.dumps({"findings": [], "verdict": "pass", "summary": "No flaw found."})


class FakeModel:
    """Counts what it is asked; refuses a share of the questions with 429."""

    def __init__(self, *, latency_s: float, refuse: float, picture: bytes) -> None:
        self._latency_s = latency_s
        self._refuse = refuse
        self._picture = picture
        self._dice = random.Random(1)
        self.asked = self.refused = self.at_once = self.most_at_once = self.bytes_in = 0

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it is closed."""
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split(" ", 2)
                length = 0
                while (header := (await reader.readline()).decode().strip().lower()) != "":
                    if header.startswith("content-length:"):
                        length = int(header.partition(":")[2])
                body = await reader.readexactly(length)
                status, kind, answer = await self._answer(method, path, body)
                head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n"
                pause = "Retry-After: 0\r\n" if status == 429 else ""
                writer.write(f"{head}{pause}\r\n".encode() + answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        if path.startswith("/picture"):
            return 200, "image/jpeg", b"no picture" if "broken" in path else self._variant(path)
        if path == "/counts":
            counts = {"asked": self.asked, "refused": self.refused, "most_at_once": self.most_at_once}
            found = json.dumps({**counts, "bytes_in": self.bytes_in}).encode()
            self.asked = self.refused = self.most_at_once = self.bytes_in = 0
            return 200, "application/json", found
        if method == "GET":
            return 200, "application/json", b'{"data": []}'
        probing = b"Are you ready?" in body
        if not probing:
            self.bytes_in += len(body)
            if self._dice.random() < self._refuse:
                self.refused += 1
                return 429, "application/json", b'{"error": {"message": "slow down"}}'
            self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0 if probing else self._latency_s)
        self.at_once -= 1
        return 200, "application/json", _completion(READY if probing else NOTHING)

    def _variant(self, path: str) -> bytes:
        """The picture with slightly other colors for each number in the path: a picture that nobody has seen yet.

        Each bit of the number raises one of the coarse entries of the table for color by one, so the pictures differ
        after they are made smaller too, and take no more bytes than the first.
        """
        number = int(re.sub(r"\D", "", path) or 0)
        changed = bytearray(self._picture)
        table = _color_table(changed)
        for bit in range(number.bit_length()):
            changed[table + bit] += number >> bit & 1
        return bytes(changed)


def _color_table(picture: bytes | bytearray) -> int:
    """Where the entries of a JPEG's second quantisation table begin, the coarsest first (ITU-T T.81, B.2.4.1)."""
    at = 2
    while picture[at] == 0xFF and picture[at + 1] != 0xDA:
        length = int.from_bytes(picture[at + 2 : at + 4], "big")
        if picture[at + 1] == 0xDB:
            for table in range(at + 4, at + 2 + length, 65):
                if picture[table] & 15 == 1:
                    return table + 1
        at += 2 + length
    raise ValueError("the picture has no colors")


def _completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 1500, "completion_tokens": 60, "total_tokens": 1560}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    return json.dumps(body).encode()


async def _main(options: argparse.Namespace) -> None:
    model = FakeModel(latency_s=options.latency_s, refuse=options.refuse, picture=options.picture.read_bytes())
    server = await asyncio.start_server(model.serve_one, "127.0.0.1", 0, limit=2**26)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-s", type=float, default=0.4)
    parser.add_argument("--refuse", type=float, default=0.0, help="share of questions answered with 429")
    parser.add_argument("--picture", type=Path, required=True)
    asyncio.run(_main(parser.parse_args()))
