// A short trading session by Deriv's own @deriv/deriv-api, over a connection handed to it.
//
// Run by test_official_clients.py beside the installed client: `node node_client.js SOCKET_URL`. Prints what the client
// got as one JSON object.

const path = require('path');
const { createRequire } = require('module');

const installed = createRequire(path.resolve(__dirname, '../../../.clients/node/package.json'));
const WebSocket = installed('ws');
global.WebSocket = WebSocket;
const DerivAPIBasic = installed('@deriv/deriv-api/dist/DerivAPIBasic');

const TERMS = {
    proposal: 1,
    amount: 10,
    basis: 'stake',
    contract_type: 'CALL',
    currency: 'USD',
    duration: 5,
    duration_unit: 't',
    underlying_symbol: 'R_100',
};

// Frames of a stream until `enough` says so.
function collect(source, enough) {
    return new Promise((resolve, reject) => {
        const frames = [];
        source.subscribe((frame) => {
            frames.push(frame);
            if (enough(frames)) resolve(frames);
        }, reject);
    });
}

async function session(connection) {
    const api = new DerivAPIBasic({ connection });
    const got = {};
    got.ticks = await collect(api.subscribe({ ticks: 'R_100' }), (frames) => frames.length >= 3);
    got.history = await api.send({ ticks_history: 'R_100', end: 'latest', count: 10 });
    got.proposal = await api.send({ ...TERMS });
    const price = got.proposal.proposal;
    got.buy = await api.send({ buy: price.id, price: price.ask_price });
    got.life = await collect(
        api.subscribe({ proposal_open_contract: 1, contract_id: got.buy.buy.contract_id }),
        (frames) => frames[frames.length - 1].proposal_open_contract.is_sold === 1,
    );
    got.statement = await api.send({ statement: 1, description: 1, limit: 2 });
    got.forget = await api.forget(got.ticks[0].subscription.id);
    got.refusal = await api.send({ ticks_history: 'R_100' }).then(() => null, (refused) => refused.error.message);
    return got;
}

// The client waits for the opening of the connection it is handed, so it gets it before that, as in Deriv's own bot.
const connection = new WebSocket(process.argv[2]);
const hanging = setTimeout(() => { console.error('the session hangs'); process.exit(1); }, 20000);
session(connection).then((got) => {
    clearTimeout(hanging);
    process.stdout.write(JSON.stringify(got), () => process.exit(0));
}, (error) => { console.error(error); process.exit(1); });
