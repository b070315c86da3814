// rpc.js: JSON-RPC 2.0 over one WebSocket: requests are answered or fail, once; notifications come in order.

export class RpcError extends Error {
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data ?? {};
    this.retryMs = Number.isFinite(this.data.retry_ms) ? this.data.retry_ms : 0;
  }
}

export class Rpc {
  #socket;
  #waiting = new Map();
  #last = 0;
  #closed = false;

  // open(), notify(method, params) and closed(code) are called back; closed once, also when it never opened.
  constructor(socket, {open, notify, closed}) {
    this.#socket = socket;
    socket.onopen = () => { if (!this.#closed) open(); };
    socket.onmessage = (m) => { if (!this.#closed) this.#take(m.data, notify); };
    socket.onclose = (e) => this.#end(e.code, closed);
    socket.onerror = () => {}; // close follows
    this.end = () => this.#end(0, closed);
  }

  request(method, params = {}) {
    if (this.#closed) return Promise.reject(lost());
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject});
      this.#socket.send(JSON.stringify({jsonrpc: '2.0', id, method, params}));
    });
  }

  // Ends it without waiting for the other side, which may be gone.
  close() {
    this.#socket.close(1000);
    this.end();
  }

  #take(text, notify) {
    let m;
    try {
      m = JSON.parse(text);
    } catch {
      return; // binary or broken: nothing the server would send us
    }
    if (typeof m?.method === 'string') {
      notify(m.method, m.params ?? {});
      return;
    }
    const waits = this.#waiting.get(m?.id);
    if (!waits) return;
    this.#waiting.delete(m.id);
    if (m.error) waits.reject(new RpcError(String(m.error.data?.code ?? 'internal'), String(m.error.message ?? ''), m.error.data));
    else waits.resolve(m.result ?? {});
  }

  #end(code, closed) {
    if (this.#closed) return;
    this.#closed = true;
    for (const w of this.#waiting.values()) w.reject(lost());
    this.#waiting.clear();
    closed(code);
  }
}

function lost() {
  return new RpcError('lost', 'the connection was lost before the server answered');
}
