#!/usr/bin/env node
// A closed/open-loop load generator for any OpenID Connect provider.
// No dependencies. Raw sockets + a minimal HTTP/1.1 reader so one core of this
// process outruns one core of the server.
import net from 'node:net';
import tls from 'node:tls';
import fs from 'node:fs';
import crypto from 'node:crypto';

// ---------------------------------------------------------------- arguments
const args = {};
for (let i = 2; i < process.argv.length; i++) {
  const a = process.argv[i];
  if (!a.startsWith('--')) throw new Error(`bad argument ${a}`);
  const eq = a.indexOf('=');
  if (eq > 0) args[a.slice(2, eq)] = a.slice(eq + 1);
  else if (i + 1 < process.argv.length && !process.argv[i + 1].startsWith('--')) args[a.slice(2)] = process.argv[++i];
  else args[a.slice(2)] = true;
}
const cfg = JSON.parse(fs.readFileSync(args.config, 'utf8'));
const SCENARIOS = (args.scenario || 'discovery,jwks,client_credentials,sso,userinfo,introspection,refresh').split(',');
const CONNS = +(args.conns || 16);
const DURATION = Math.min(+(args.duration || 6), 300);
const WARMUP = Math.min(+(args.warmup ?? 2), 60);
const MAX = +(args['max-ops'] || 5e6);
const RATE = args.rate ? +args.rate : 0;              // >0: open loop, ops/s
const VALIDATE = +(args.validate ?? 1);               // share of id_tokens whose signature is checked
const PIDS = args.pids ? String(args.pids).split(',').map((s) => { const [n, p] = s.includes(':') ? s.split(':') : ['server', s]; return [n, +p]; }) : [];

const issuer = new URL(cfg.issuer);
const target = cfg.connect || { host: issuer.hostname, port: +(issuer.port || (issuer.protocol === 'https:' ? 443 : 80)) };
const isTLS = (cfg.connect?.tls ?? (issuer.protocol === 'https:'));
if (!target.path && !['127.0.0.1', '::1', 'localhost'].includes(target.host)) throw new Error('oidcload only talks to loopback');
const HOST = issuer.host;

// ---------------------------------------------------------------- HTTP client
let reconnects = 0;
class Conn {
  constructor() { this.sock = null; this.buf = ''; this.res = null; this.rej = null; this.jar = []; this.jarVersion = 0; this.cookieCache = new Map(); }
  open() {
    return new Promise((ok, ko) => {
      const done = () => { s.removeListener('error', ko); s.on('error', (e) => this.fail(e)); ok(); };
      const s = isTLS
        ? tls.connect({ ...target, servername: issuer.hostname, rejectUnauthorized: false }, done)
        : net.connect(target.path ? { path: target.path } : target, done);
      s.setNoDelay?.(true);
      s.once('error', ko);
      s.on('data', (d) => { this.buf += d.latin1Slice(0, d.length); this.parse(); });
      s.on('close', () => { if (this.sock === s) { this.sock = null; this.fail(new Error('closed')); } });
      this.sock = s; this.buf = '';
    });
  }
  fail(e) { const r = this.rej; this.res = this.rej = null; if (r) r(e); }
  parse() {
    const b = this.buf;
    const he = b.indexOf('\r\n\r\n');
    if (he < 0) return;
    const head = b.slice(0, he + 2);
    const status = +b.slice(9, 12);
    let body; let end;
    const lower = head.toLowerCase();
    const cl = lower.indexOf('\r\ncontent-length:');
    if (status === 204 || status === 304) { body = ''; end = he + 4; }
    else if (cl >= 0) {
      const n = parseInt(lower.slice(cl + 17, cl + 40), 10);
      end = he + 4 + n;
      if (b.length < end) return;
      body = b.slice(he + 4, end);
    } else if (lower.includes('\r\ntransfer-encoding: chunked')) {
      let p = he + 4; body = '';
      for (;;) {
        const e = b.indexOf('\r\n', p);
        if (e < 0) return;
        const n = parseInt(b.slice(p, e), 16);
        if (b.length < e + 2 + n + 2) return;
        if (n === 0) { end = e + 4; break; }
        body += b.slice(e + 2, e + 2 + n);
        p = e + 2 + n + 2;
      }
    } else throw new Error(`no content-length in ${head}`);
    this.buf = b.length === end ? '' : b.slice(end);
    const close = lower.includes('\r\nconnection: close');
    const r = this.res; this.res = this.rej = null;
    if (close) { const s = this.sock; this.sock = null; s.destroy(); reconnects++; }
    r({ status, head, lower, body });
  }
  async send(text) {
    if (!this.sock) await this.open();
    return new Promise((ok, ko) => { this.res = ok; this.rej = ko; this.sock.write(text, 'latin1'); });
  }
  get(path, extra = '') { return this.send(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nAccept: */*\r\n${extra}\r\n`); }
  post(path, body, extra = '') {
    return this.send(`POST ${path} HTTP/1.1\r\nHost: ${HOST}\r\nAccept: */*\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n${extra}\r\n${body}`);
  }
  // cookies -----------------------------------------------------------------
  store(r, reqPath) {
    let i = r.lower.indexOf('\r\nset-cookie:');
    while (i >= 0) {
      const e = r.head.indexOf('\r\n', i + 2);
      const parts = r.head.slice(i + 13, e).split(';').map((s) => s.trim());
      const eq = parts[0].indexOf('=');
      const c = { name: parts[0].slice(0, eq), value: parts[0].slice(eq + 1), path: reqPath.replace(/\/[^/]*$/, '') || '/' };
      let gone = false;
      for (const a of parts.slice(1)) {
        const l = a.toLowerCase();
        if (l.startsWith('path=')) c.path = a.slice(5) || '/';
        else if (l.startsWith('max-age=')) gone = +a.slice(8) <= 0;
        else if (l.startsWith('expires=') && Date.parse(a.slice(8)) < Date.now()) gone = true;
      }
      const at = this.jar.findIndex((x) => x.name === c.name && x.path === c.path);
      if (at >= 0 && !gone && this.jar[at].value === c.value) { /* unchanged */ } else {
        if (at >= 0) this.jar.splice(at, 1);
        if (!gone && c.value !== '') this.jar.push(c);
        this.cookieCache.clear();
      }
      i = r.lower.indexOf('\r\nset-cookie:', e);
    }
  }
  cookies(path) {
    const p = path.split('?')[0];
    let h = this.cookieCache.get(p);
    if (h === undefined) {
      const m = this.jar.filter((c) => c.path === '/' || p === c.path || p.startsWith(c.path.endsWith('/') ? c.path : c.path + '/'));
      h = m.length ? `Cookie: ${m.map((c) => `${c.name}=${c.value}`).join('; ')}\r\n` : '';
      if (this.cookieCache.size > 50) this.cookieCache.clear();
      this.cookieCache.set(p, h);
    }
    return h;
  }
}
const header = (r, name) => { const i = r.lower.indexOf(`\r\n${name}:`); return i < 0 ? undefined : r.head.slice(i + name.length + 3, r.head.indexOf('\r\n', i + 2)).trim(); };

// ---------------------------------------------------------------- OIDC pieces
const enc = encodeURIComponent;
const form = (o) => Object.entries(o).filter(([, v]) => v !== undefined).map(([k, v]) => `${enc(k)}=${enc(v)}`).join('&');
const P = {};                                           // endpoint paths
let keys = new Map();
const client = cfg.client;
const basic = `Authorization: Basic ${Buffer.from(`${enc(client.id)}:${enc(client.secret)}`).toString('base64')}\r\n`;
const post_auth = client.auth === 'client_secret_post';
const authHdr = post_auth ? '' : basic;
const authBody = post_auth ? `&client_id=${enc(client.id)}&client_secret=${enc(client.secret)}` : '';
const scope = cfg.scope || 'openid';

async function discover() {
  const c = new Conn();
  const dpath = `${issuer.pathname.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const r = await c.get(dpath);
  if (r.status !== 200) throw new Error(`discovery ${r.status}`);
  const d = JSON.parse(r.body);
  if (d.issuer !== cfg.issuer) throw new Error(`issuer mismatch ${d.issuer}`);
  P.discovery = dpath;
  for (const [k, n] of [['authorize', 'authorization_endpoint'], ['token', 'token_endpoint'], ['userinfo', 'userinfo_endpoint'], ['jwks', 'jwks_uri'], ['introspection', 'introspection_endpoint']]) {
    if (!d[n]) continue;
    const u = new URL(d[n]);
    if (u.host !== issuer.host) throw new Error(`${n} on another host`);
    P[k] = u.pathname + u.search;
  }
  const j = JSON.parse((await c.get(P.jwks)).body);
  for (const k of j.keys) keys.set(k.kid, { jwk: k, key: crypto.createPublicKey({ key: k, format: 'jwk' }) });
  c.sock?.destroy();
}
const HASH = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512', PS256: 'sha256', ES256: 'sha256', ES384: 'sha384', EdDSA: null, Ed25519: null };
let verified = 0;
function checkIdToken(t, nonce, always) {
  const [h, p, s] = t.split('.');
  const head = JSON.parse(Buffer.from(h, 'base64url'));
  const c = JSON.parse(Buffer.from(p, 'base64url'));
  if (c.iss !== cfg.issuer) throw new Error('iss');
  if (c.aud !== client.id && !(Array.isArray(c.aud) && c.aud.includes(client.id))) throw new Error('aud');
  if (nonce && c.nonce !== nonce) throw new Error('nonce');
  const now = Date.now() / 1000;
  if (c.exp < now || c.iat > now + 60) throw new Error('time');
  if (cfg.client.id_token_alg && head.alg !== cfg.client.id_token_alg) throw new Error(`alg ${head.alg}`);
  if (always || VALIDATE >= 1 || Math.random() < VALIDATE) {
    const k = keys.get(head.kid); if (!k) throw new Error('kid');
    const opt = head.alg.startsWith('ES') ? { key: k.key, dsaEncoding: 'ieee-p1363' }
      : head.alg.startsWith('PS') ? { key: k.key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING } : k.key;
    if (!crypto.verify(HASH[head.alg], Buffer.from(`${h}.${p}`), opt, Buffer.from(s, 'base64url'))) throw new Error('signature');
    verified++;
  }
  return c;
}
let ctr = 0; const rnd = crypto.randomBytes(12).toString('base64url');
function authRequest(extra = {}) {
  const n = `${rnd}${(ctr++).toString(36)}`;
  const verifier = crypto.createHash('sha256').update(n).digest('base64url');
  const challenge = crypto.createHash('sha256').update(verifier).digest('base64url');
  const q = { client_id: client.id, redirect_uri: client.redirect_uri, response_type: 'code', scope, state: `s${n}`, nonce: `n${n}`, code_challenge: challenge, code_challenge_method: 'S256', ...extra };
  return { verifier, state: q.state, nonce: q.nonce, path: `${P.authorize}${P.authorize.includes('?') ? '&' : '?'}${form(q)}` };
}
function codeFrom(loc, a) {
  const u = new URL(loc);
  const e = u.searchParams.get('error');
  if (e) throw new Error(`authorize error ${e} ${u.searchParams.get('error_description')}`);
  if (u.searchParams.get('state') !== a.state) throw new Error('state');
  const iss = u.searchParams.get('iss'); if (iss && iss !== cfg.issuer) throw new Error('iss param');
  const code = u.searchParams.get('code'); if (!code) throw new Error(`no code in ${loc}`);
  return code;
}
const codeBody = (code, a) => `grant_type=authorization_code&code=${enc(code)}&redirect_uri=${enc(client.redirect_uri)}&code_verifier=${a.verifier}${authBody}`;
async function tokenCall(c, body) {
  const r = await c.post(P.token, body, authHdr);
  if (r.status !== 200) throw new Error(`token ${r.status} ${r.body.slice(0, 300)}`);
  return JSON.parse(r.body);
}
// Full login: follow redirects; fill and submit HTML forms with cfg.login.fields.
async function login(c, extraAuth, user) {
  const a = authRequest(extraAuth);
  let method = 'GET'; let url = a.path; let body = '';
  for (let hop = 0; hop < 15; hop++) {
    const ck = c.cookies(url);
    const r = method === 'GET' ? await c.get(url, ck) : await c.post(url, body, ck + `Origin: ${issuer.origin}\r\n`);
    c.store(r, url.split('?')[0]);
    if (r.status >= 300 && r.status < 400) {
      const loc = header(r, 'location');
      if (loc.startsWith(client.redirect_uri)) {
        const t = await tokenCall(c, codeBody(codeFrom(loc, a), a));
        checkIdToken(t.id_token, a.nonce, false);
        return t;
      }
      const u = new URL(loc, issuer.origin + url); if (u.host !== issuer.host) throw new Error(`redirect elsewhere ${loc}`);
      method = 'GET'; url = u.pathname + u.search; continue;
    }
    if (r.status === 200 && cfg.login?.fields) {
      const m = /<form[^>]*>([\s\S]*?)<\/form>/i.exec(r.body); if (!m) throw new Error(`no form at ${url}`);
      const act = /<form[^>]*\baction=["']([^"']*)["']/i.exec(m[0]);
      const u = new URL((act ? act[1] : url).replace(/&amp;/g, '&'), issuer.origin + url);
      const f = {};
      for (const [tag] of m[1].matchAll(/<(input|button|select)[^>]*>/gi)) {
        const n = /\bname=["']([^"']*)["']/i.exec(tag); const v = /\bvalue=["']([^"']*)["']/i.exec(tag);
        if (n && !(n[1] in f)) f[n[1]] = v ? v[1].replace(/&#34;|&quot;/g, '"').replace(/&amp;/g, '&') : '';
      }
      for (const [k, v] of Object.entries(cfg.login.fields)) if (k in f || cfg.login.force) f[k] = v.replace('{n}', user);
      body = form(f); method = 'POST'; url = u.pathname + u.search; continue;
    }
    throw new Error(`login stuck at ${method} ${url}: ${r.status} ${r.body.slice(0, 200)}`);
  }
  throw new Error('login: too many hops');
}
// one SSO round trip; returns [authorize ms, token ms]
async function sso(c) {
  const a = authRequest({ prompt: 'none', ...(cfg.sso_params || {}) });
  const t0 = performance.now();
  const r = await c.get(a.path, c.cookies(P.authorize));
  const t1 = performance.now();
  if (r.status < 300 || r.status > 399) throw new Error(`authorize ${r.status} ${r.body.slice(0, 200)}`);
  c.store(r, P.authorize);
  const code = codeFrom(header(r, 'location'), a);
  const t2 = performance.now();
  const t = await tokenCall(c, codeBody(code, a));
  const t3 = performance.now();
  checkIdToken(t.id_token, a.nonce, false);
  if (!t.access_token) throw new Error('no access_token');
  return [t1 - t0, t3 - t2];
}
const ok200 = (r) => { if (r.status !== 200) throw new Error(`${r.status} ${r.body.slice(0, 200)}`); };
const S = {
  discovery: { op: async (c) => ok200(await c.get(P.discovery)) },
  jwks: { op: async (c) => ok200(await c.get(P.jwks)) },
  get: { op: async (c) => ok200(await c.get(args.path || '/')) },
  post: { op: async (c) => ok200(await c.post(args.path || '/', args.body || '', authHdr)) },
  client_credentials: {
    op: async (c) => {
      const b = { grant_type: 'client_credentials', ...(cfg.client_credentials || {}) };
      const r = await tokenCall(c, form(b) + authBody); if (!r.access_token) throw new Error('no token');
    },
  },
  client_credentials_jwt: {
    op: async (c) => {
      const b = { grant_type: 'client_credentials', ...(cfg.client_credentials || {}), ...(cfg.client_credentials_jwt || {}) };
      const r = await tokenCall(c, form(b) + authBody); if (!r.access_token || r.access_token.split('.').length !== 3) throw new Error('not a JWT');
    },
  },
  sso: { needs: 'login', parts: ['authorize', 'token'], op: sso },
  userinfo: { needs: 'login', op: async (c) => { const r = await c.get(P.userinfo, `Authorization: Bearer ${c.at}\r\n`); ok200(r); if (!r.body.includes('"sub"')) throw new Error('no sub'); } },
  introspection: { needs: 'login', op: async (c) => { const r = await c.post(P.introspection, `token=${enc(c.at)}${authBody}`, authHdr); ok200(r); if (!/"active":\s*true/.test(r.body)) throw new Error('inactive'); } },
  refresh: {
    needs: 'login', op: async (c) => {
      const t = await tokenCall(c, `grant_type=refresh_token&refresh_token=${enc(c.rt)}${authBody}`);
      if (t.refresh_token) { if (t.refresh_token !== c.rt) c.rotated = true; c.rt = t.refresh_token; }
      if (t.id_token) checkIdToken(t.id_token, undefined, false);
    },
  },
  login: { op: async (c) => { c.jar = []; c.cookieCache.clear(); await login(c, cfg.login?.params || {}, c.n); } },
};

// ---------------------------------------------------------------- measurement
const CLK = 100;
function cpuOf(pid) {
  let t = 0; const todo = [pid];
  while (todo.length) {
    const p = todo.pop();
    try {
      const f = fs.readFileSync(`/proc/${p}/stat`, 'utf8'); const a = f.slice(f.lastIndexOf(')') + 2).split(' ');
      t += (+a[11] + +a[12]) / CLK;
      for (const th of fs.readdirSync(`/proc/${p}/task`)) for (const k of fs.readFileSync(`/proc/${p}/task/${th}/children`, 'utf8').split(' ')) if (k) todo.push(+k);
    } catch { /* gone */ }
  }
  return t;
}
function machine() {                                       // busy CPU seconds of the whole machine
  const a = fs.readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  return { busy: (a[0] + a[1] + a[2] + a[5] + a[6]) / CLK, steal: a[7] / CLK };
}
const q = (sorted, p) => sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] : NaN;
async function run(name) {
  const sc = S[name]; if (!sc) throw new Error(`scenario ${name}`);
  const conns = [];
  for (let i = 0; i < CONNS; i++) {
    const c = new Conn(); c.n = String(i); await c.open();
    if (sc.needs === 'login') {
      const t = await login(c, { ...(cfg.login?.params || {}), ...(name === 'refresh' ? cfg.login?.refresh_params || {} : {}) }, c.n);
      c.at = t.access_token; c.rt = t.refresh_token;
      if (name === 'refresh' && !c.rt) throw new Error('login gave no refresh_token (set login.refresh_params)');
    }
    conns.push(c);
  }
  const lat = []; const parts = (sc.parts || []).map(() => []);
  let errors = 0; let firstError; let measuring = false; let stop = false; let issued = 0; let inflight = 0;
  let rateT0 = performance.now();
  const worker = async (c) => {
    while (!stop && issued < MAX) {
      let t0 = performance.now();
      if (RATE) {
        const due = rateT0 + (issued / RATE) * 1000; issued++;
        if (due > t0) { do { await new Promise((r) => setTimeout(r, Math.max(0, Math.floor(due - performance.now())))); } while (performance.now() < due && !stop); t0 = performance.now(); } else t0 = due;
      } else issued++;
      try {
        const r = await sc.op(c);
        if (measuring) {                                 // every operation that ends in the window: else the slow ones are undercounted
          if (r) { lat.push(RATE ? performance.now() - t0 : r[0] + r[1]); for (let i = 0; i < parts.length; i++) parts[i].push(r[i]); } else lat.push(performance.now() - t0);
        }
      } catch (e) { errors++; firstError ??= e.message; if (errors > 200) stop = true; }
    }
  };
  const ws = conns.map(worker);
  await new Promise((r) => setTimeout(r, WARMUP * 1000));
  const cpu0 = process.cpuUsage(); const s0 = PIDS.map(([, p]) => cpuOf(p)); const v0 = verified; const m0 = machine();
  const t0 = performance.now(); measuring = true;
  await new Promise((r) => setTimeout(r, DURATION * 1000));
  measuring = false; const wall = (performance.now() - t0) / 1000;
  const cpu = process.cpuUsage(cpu0); const s1 = PIDS.map(([, p]) => cpuOf(p)); const m1 = machine();
  stop = true; await Promise.race([Promise.all(ws), new Promise((r) => setTimeout(r, 3000))]);
  for (const c of conns) c.sock?.destroy();
  lat.sort((a, b) => a - b);
  const out = {
    scenario: name, conns: CONNS, rate: RATE || undefined, seconds: +wall.toFixed(2), ops: lat.length, ops_s: +(lat.length / wall).toFixed(1),
    p50_ms: +q(lat, 0.5).toFixed(2), p90_ms: +q(lat, 0.9).toFixed(2), p99_ms: +q(lat, 0.99).toFixed(2), max_ms: +(lat.at(-1) ?? NaN).toFixed(2),
    errors, firstError, reconnects, id_tokens_verified: verified - v0,
    gen_cpu: +((cpu.user + cpu.system) / 1e6 / wall).toFixed(2),
    cpu: Object.fromEntries(PIDS.map(([n], i) => [n, +((s1[i] - s0[i]) / wall).toFixed(2)])),
  };
  const ours = (cpu.user + cpu.system) / 1e6 + s1.reduce((a, b, i) => a + b - s0[i], 0);
  out.foreign_cpu = +(Math.max(0, m1.busy - m0.busy - ours) / wall).toFixed(2); out.steal = +((m1.steal - m0.steal) / wall).toFixed(2);
  // throughput per second of CPU that the first --pids entry used: robust when other processes share the core
  if (PIDS.length) { out.ops_per_server_cpu_s = +(lat.length / (s1[0] - s0[0])).toFixed(0); out.cpu_s_per_op = (s1[0] - s0[0]) / lat.length; }
  parts.forEach((a, i) => { a.sort((x, y) => x - y); out[`${sc.parts[i]}_p50_ms`] = +q(a, 0.5).toFixed(2); out[`${sc.parts[i]}_p99_ms`] = +q(a, 0.99).toFixed(2); });
  if (name === 'refresh') out.rotated = conns.some((c) => c.rotated);
  return out;
}
await (args['no-discovery'] ? null : discover());
const all = [];
// On a shared machine: wait for a quiet second before each run, repeat a disturbed run, keep the least disturbed.
const MAXF = +(args['max-foreign'] ?? 0.1); const TRIES = +(args.tries || 1); const WAITQ = +(args['wait-quiet'] || 0);
async function quiet() {
  const end = performance.now() + WAITQ * 1000;
  while (performance.now() < end) {
    const m = machine(); const c = process.cpuUsage(); const s = PIDS.map(([, p]) => cpuOf(p)); const t = performance.now();
    await new Promise((r) => setTimeout(r, 700));
    const d = process.cpuUsage(c); const w = (performance.now() - t) / 1000;
    if ((machine().busy - m.busy - (d.user + d.system) / 1e6 - PIDS.reduce((a, [, p], i) => a + cpuOf(p) - s[i], 0)) / w < MAXF) return;
  }
}
for (const s of SCENARIOS) {
  let o;
  for (let k = 0; k < TRIES; k++) {
    await quiet();
    const x = await run(s).catch((e) => ({ scenario: s, failed: e.message }));
    if (!o || o.failed || x.foreign_cpu < o.foreign_cpu) o = x;
    if (o.failed || o.foreign_cpu <= MAXF) break;
  }
  all.push(o);
  if (args.json !== '-') console.log(o.failed ? `${s.padEnd(19)} FAILED ${o.failed}` : `${s.padEnd(19)} ${String(o.ops_s).padStart(9)}/s  p50 ${o.p50_ms}  p99 ${o.p99_ms}  max ${o.max_ms} ms  err ${o.errors}${o.firstError ? ` (${o.firstError})` : ''}  | per-server-cpu-s ${o.ops_per_server_cpu_s ?? '-'} gen ${o.gen_cpu} foreign ${o.foreign_cpu} ${Object.entries(o.cpu).map(([k, v]) => `${k} ${v}`).join(' ')}${o.authorize_p50_ms ? `  authz p50 ${o.authorize_p50_ms}/p99 ${o.authorize_p99_ms} token p50 ${o.token_p50_ms}/p99 ${o.token_p99_ms}` : ''}${o.rotated !== undefined ? ` rotated=${o.rotated}` : ''}`);
}
if (args.json === '-') console.log(JSON.stringify(all, null, 1)); else if (args.json) fs.writeFileSync(args.json, JSON.stringify(all, null, 1));
process.exit(all.some((o) => o.failed || o.errors) ? 1 : 0);
