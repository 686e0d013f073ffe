import crypto from 'node:crypto';
import { promisify } from 'node:util';
import * as oidc from 'oidc-provider';
const Provider = oidc.Provider ?? oidc.default;
const port = +(process.env.PORT || 3000);
const alg = process.env.ALG || 'RS256';
const issuer = `http://127.0.0.1:${port}`;
const jwk = (type, opt, extra) => ({ ...crypto.generateKeyPairSync(type, opt).privateKey.export({ format: 'jwk' }), ...extra });
const jwks = { keys: [
  jwk('rsa', { modulusLength: 2048 }, { kid: 'rs', alg: 'RS256', use: 'sig' }),
  jwk('ec', { namedCurve: 'P-256' }, { kid: 'es', alg: 'ES256', use: 'sig' }),
] };
let adapter;
if (process.env.ADAPTER === 'redis') adapter = (await import('./redis_store.mjs')).default;
const provider = new Provider(issuer, {
  adapter, jwks,
  clients: [{
    client_id: 'bench', client_secret: 'bench-secret-0123456789abcdef0123456789abcdef', redirect_uris: ['http://127.0.0.1:9999/cb'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: alg,
  }],
  scopes: ['openid', 'offline_access', 'api'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  cookies: { keys: ['k1-very-secret', 'k2-very-secret'] },
  findAccount: async (ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, name: 'Bench User', email: 'b@example.test', email_verified: true }) }),
  interactions: { url: (ctx, i) => `/interaction/${i.uid}` },
  ...(process.env.ROTATE ? { rotateRefreshToken: true } : {}),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: () => ({ scope: 'api', audience: 'http://api.test', accessTokenTTL: 3600, accessTokenFormat: 'jwt', jwt: { sign: { alg } } }),
    },
  },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600, ClientCredentials: 600 },
});
// With login_hint=password it asks one, and checks it with the settings of argon2id that Toegang has.
const argon2id = promisify(crypto.argon2).bind(null, 'argon2id');
const cost = { nonce: crypto.randomBytes(16), parallelism: 1, tagLength: 32, memory: 19 * 1024, passes: 2 };
const known = await argon2id({ message: 'Welkom-demo-1', ...cost });
const isPassword = async (given) => crypto.timingSafeEqual(known, await argon2id({ message: given, ...cost }));
const page = '<!DOCTYPE html><title>Sign in</title><form method="post"><input name="username"><input name="password" type="password"><button>Sign in</button></form>';
const sent = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString()).get('password') ?? '';
};
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const d = await provider.interactionDetails(ctx.req, ctx.res);
  if (d.params.login_hint === 'password') {
    if (ctx.method === 'GET') { ctx.type = 'html'; ctx.body = page; return; }
    if (!await isPassword(await sent(ctx.req))) { ctx.status = 401; return; }
  }
  const accountId = 'user-1';
  let grant = d.grantId ? await provider.Grant.find(d.grantId) : undefined;
  grant ??= new provider.Grant({ accountId, clientId: d.params.client_id });
  grant.addOIDCScope(d.params.scope);
  const grantId = await grant.save();
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId }, consent: { grantId } }, { mergeWithLastSubmission: false });
  ctx.respond = false;
});
provider.on('server_error', (ctx, err) => console.error(err));
provider.listen(port, '127.0.0.1', () => console.log('listening', port, alg, process.env.ADAPTER || 'memory', process.version));
