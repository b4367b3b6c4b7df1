"""Writes the benchmark's orders as CSV: 16 columns, the same bytes for the same seed.

usage: orders.py ROWS FILE [SEED]
"""

import random
import sys
from datetime import datetime, timedelta

COLUMNS = [
    ("order_id", "bigint"), ("order_ref", "text"), ("customer_id", "integer"), ("created_at", "timestamp"),
    ("updated_at", "timestamp"), ("status", "text"), ("currency", "text"), ("quantity", "integer"),
    ("unit_price", "numeric(12,2)"), ("discount", "numeric(12,2)"), ("total", "numeric(14,2)"), ("email", "text"),
    ("product", "text"), ("note", "text"), ("shipped_at", "timestamp"), ("is_gift", "boolean"),
]
STATUS = ["pending", "paid", "packed", "shipped", "delivered", "returned"]
CURRENCY = ["EUR", "USD", "GBP", "CHF", "DKK"]
PRODUCT = ["Kettle, steel", '7" tablet', "Desk lamp", "Notebook A5", "Tea (green)", "Chair; oak", "Läufer rot"]
NOTE = ["leave with neighbour", 'say "hello"', "fragile, please", "ring twice", "no invoice in the box", "Grüße"]
START = datetime(2023, 1, 1)


def cell(text):
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def main(rows, path, seed=1):
    draw = random.Random(seed).getrandbits
    products, notes = [cell(p) for p in PRODUCT], [cell(n) for n in NOTE]
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(name for name, _ in COLUMNS) + "\n")
        lines = []
        for number in range(1, rows + 1):
            a, b = draw(48), draw(48)
            customer, quantity, price = a % 200_000 + 1, a % 9 + 1, b % 50_000 + 99
            discount = quantity * price // 10 if a % 5 == 0 else 0
            created = START + timedelta(seconds=number * 16 + a % 15)
            updated = created + timedelta(seconds=b % 86_400)
            shipped = str(created + timedelta(hours=a % 96)) if b % 4 else ""
            lines.append(
                f"{number},{a:012x}-{b & 0xffff:04x},{customer},{created},{updated},{STATUS[a % 6]},{CURRENCY[b % 5]},"
                f"{quantity},{money(price)},{money(discount)},{money(quantity * price - discount)},"
                f"customer{customer}@example.com,{products[a % 7]},{notes[b % 6] if a % 10 >= 3 else ''},"
                f"{shipped},{'true' if a % 7 == 0 else 'false'}\n"
            )
            if len(lines) == 20_000:
                file.writelines(lines)
                lines.clear()
        file.writelines(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:4]))
