# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = []
# ///
"""@deriv/deriv-api: after a lost connection the client reconnects, and its streams stay silent.

Expected: the client reconnects by itself, and either opens its streams again or ends them with an error. (The sister
package's source says of the same class: "It also ensures that subscriptions are revived after connection drop".)

Seen: it reconnects and answers calls, but the tick stream neither goes on nor ends, and subscribing to the same ticks
again sends nothing: the stream that nobody serves any more is handed out.

Needs node and npm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = {"@deriv/deriv-api": "1.0.15", "ws": "8.18.3"}
PROGRAM = """
global.WebSocket = require('ws');
const DerivAPI = require('@deriv/deriv-api/dist/DerivAPIBasic');
const requests = [[], [], []], heard = [], states = [];
const venue = new WebSocket.Server({ host: '127.0.0.1', port: 0 }, () => {
    const api = new DerivAPI({ endpoint: `ws://127.0.0.1:${venue.address().port}`, app_id: 1089, lang: 'EN' });
    const follow = () => api.subscribe({ ticks: 'R_100' }).subscribe(
        (frame) => heard.push(frame.tick.quote), () => states.push('error'), () => states.push('end'));
    follow();
    setTimeout(() => venue.clients.forEach((socket) => socket.terminate()), 500);
    setTimeout(follow, 1500);
    setTimeout(() => api.time().then(() => states.push('time answered')), 1800);
    setTimeout(() => { console.log(JSON.stringify({ requests, heard, states })); process.exit(); }, 2500);
});
let connections = 0;
venue.on('connection', (socket) => {
    const number = connections++;
    socket.on('message', (text) => {
        const request = JSON.parse(text);
        const kind = request.ticks ? 'ticks' : Object.keys(request)[0];
        requests[number].push(kind);
        const head = { echo_req: request, req_id: request.req_id };
        socket.send(JSON.stringify(kind === 'ticks'
            ? { ...head, msg_type: 'tick', tick: { quote: 640.12 }, subscription: { id: `s${number}` } }
            : { ...head, msg_type: kind, [kind]: 1 }));
    });
});
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "package.json").write_text(json.dumps({"private": True, "dependencies": PINS}))
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(install, cwd=folder, check=True)
        node = subprocess.run(
            ["node", "-e", PROGRAM], cwd=folder, check=True, capture_output=True, text=True, timeout=60, env=os.environ
        )
    found = json.loads(node.stdout)
    as_described = found == {
        "requests": [["ticks"], ["time"], []],
        "heard": [640.12],
        "states": ["time answered"],
    }
    seen = f"requests by connection {found['requests']}, ticks heard {found['heard']}, then {found['states']}"
    print(f"{'reproduced' if as_described else 'CHANGED'}: @deriv/deriv-api {PINS['@deriv/deriv-api']}: {seen}")
    return 0 if as_described else 1


if __name__ == "__main__":
    sys.exit(main())
