#!/bin/sh
# @deriv/deriv-api: after a lost connection the client reconnects, and its streams stay silent.
#
# Expected: the client reconnects by itself, and either opens its streams again or ends them with an error.
#
# Seen: it reconnects and answers calls, but the tick stream neither goes on nor ends, and subscribing to the same ticks
# again sends nothing: the stream that nobody serves any more is handed out.
#
# Needs node and npm.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-package-lock @deriv/deriv-api@1.0.15 ws@8.18.3
node - <<'END'
global.WebSocket = require('ws');
const DerivAPI = require('@deriv/deriv-api/dist/DerivAPIBasic');
const version = require('@deriv/deriv-api/package.json').version;
const requests = [[], [], []], heard = [], states = [];
const venue = new WebSocket.Server({ host: '127.0.0.1', port: 0 }, () => {
    const api = new DerivAPI({ endpoint: `ws://127.0.0.1:${venue.address().port}`, app_id: 1089, lang: 'EN' });
    const follow = () => api.subscribe({ ticks: 'R_100' }).subscribe(
        (frame) => heard.push(frame.tick.quote), () => states.push('error'), () => states.push('end'));
    follow();
    setTimeout(() => venue.clients.forEach((socket) => socket.terminate()), 500);
    setTimeout(follow, 1500);
    setTimeout(() => api.time().then(() => states.push('time answered')), 1800);
    setTimeout(judge, 2500);
});
function judge() {
    const seen = JSON.stringify({ requests, heard, states });
    const described = JSON.stringify({ requests: [['ticks'], ['time'], []], heard: [640.12], states: ['time answered'] });
    const verdict = seen === described ? 'reproduced' : 'CHANGED';
    console.log(`${verdict}: @deriv/deriv-api ${version}: requests by connection, ticks heard, then what came: ${seen}`);
    process.exit(seen === described ? 0 : 1);
}
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
END
