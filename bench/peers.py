"""What the measurements beside peers share."""

import os
import socket

# No peer waits for a service of its maker.
QUIET = os.environ | {
    "DANGO_TELEMETRY": "off", "RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
