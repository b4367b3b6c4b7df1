"""A paginated API on loopback for the benchmark: GET /orders?page=1&per_page=1000. Pages are rendered before it says
`ready`, so that the server costs little while others are measured.

usage: api.py PORT ROWS PER_PAGE
"""

import asyncio
import json
import random
import sys


def record(number):
    draw = random.Random(number).getrandbits
    a, b = draw(40), draw(40)
    day = f"2025-{a % 12 + 1:02d}-{b % 28 + 1:02d}T{a % 24:02d}:{b % 60:02d}:00Z"
    return {
        "id": number, "ref": f"{a:010x}", "customer_id": a % 20_000 + 1, "created_at": day, "updated_at": day,
        "status": ("open", "paid", "shipped", "closed")[a % 4], "amount": f"{b % 100_000 / 100:.2f}", "quantity": a % 9 + 1,
        "note": None if a % 3 == 0 else 'say "hi", please', "gift": a % 7 == 0,
        "shipping": {"city": ("Bern", "Lyon", "Köln", "Oslo")[b % 4], "zip": f"{b % 99_999:05d}", "geo": {"lat": a % 90, "lon": b % 180}},
        "lines": [{"sku": f"S{(a + k) % 500}", "quantity": k + 1, "price": (b + k) % 9_999} for k in range(a % 3)],
    }


def render(rows, per_page):
    pages = {}
    last = -(-rows // per_page)
    for page in range(1, last + 2):
        first = (page - 1) * per_page + 1
        data = [record(number) for number in range(first, min(first + per_page, rows + 1))]
        body = json.dumps({"data": data, "page": page, "total_pages": last, "total": rows}, separators=(",", ":"), ensure_ascii=False).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        pages[page] = head.encode() + body
    return pages


class Server(asyncio.Protocol):
    pages = {}

    def connection_made(self, transport):
        self.transport, self.received = transport, b""

    def data_received(self, data):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            line, self.received = self.received[:end].split(b"\r\n")[0].decode(), self.received[end + 4:]
            query = line.split(" ")[1].partition("?")[2]
            page = next((int(part[5:]) for part in query.split("&") if part.startswith("page=")), 1)
            self.transport.write(self.pages.get(max(page, 1)) or self.pages[max(self.pages)])


async def main(port, rows, per_page):
    Server.pages = render(rows, per_page)
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4])))
