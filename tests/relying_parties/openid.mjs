// A relying party made with openid-client and jose, used as their documentation says. Each scenario is a whole sign-in.

import * as jose from "jose";
import * as client from "openid-client";

import { ask, main } from "./conversation.mjs";

const REDIRECT_URI = "https://rp.example.be/cb";
const execute = [client.allowInsecureRequests]; // the provider of a test answers on this machine, without TLS

// Register by program, and read the provider's metadata.
async function register(issuer, metadata, authentication) {
  const registered = await client.dynamicClientRegistration(
    new URL(issuer),
    { redirect_uris: [REDIRECT_URI], client_name: "openid-client", ...metadata },
    authentication,
    { execute },
  );
  client.allowInsecureRequests(registered);
  return registered;
}

// A pair of keys, and its public half as a client registers it.
async function keys(alg, use = "sig") {
  const pair = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await jose.exportJWK(pair.publicKey)), kid: `${use}-${alg}`, use, alg };
  return { pair, jwk };
}

// The parameters of a sign-in, and what the answer has to fit.
async function begun(more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: "openid profile offline_access",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...more,
  };
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  return { parameters, checks };
}

// The browser goes there, somebody signs in, and comes back.
const browse = async (url) => new URL((await ask({ go: url.href })).url);

const told = (tokens) => ({ type: tokens.token_type, claims: tokens.claims(), scope: tokens.scope });

async function plain({ issuer, method, alg }) {
  const methods = { client_secret_basic: client.ClientSecretBasic, client_secret_post: client.ClientSecretPost };
  const authentication = method === "none" ? client.None() : methods[method]();
  const config = await register(
    issuer,
    {
      token_endpoint_auth_method: method,
      id_token_signed_response_alg: alg,
      grant_types: ["authorization_code", "refresh_token"],
      post_logout_redirect_uris: ["https://rp.example.be/"],
    },
    authentication,
  );
  client.enableNonRepudiationChecks(config); // the signature of every ID token is checked too
  const { parameters, checks } = await begun();
  const back = await browse(client.buildAuthorizationUrl(config, parameters));
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const introspected = method === "none" ? null : await client.tokenIntrospection(config, renewed.access_token);
  const leaving = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: "https://rp.example.be/",
    state: "left",
  });
  const left = await browse(leaving);
  await client.tokenRevocation(config, renewed.refresh_token ?? tokens.refresh_token);
  const again = client.refreshTokenGrant(config, renewed.refresh_token ?? tokens.refresh_token);
  const revoked = await again.then(() => "", (error) => error.error);
  return { ...told(tokens), person, renewed: renewed.claims(), introspected, left: left.href, revoked };
}

async function strict({ issuer, alg, requests, answers, dpop, tokensAlg, profile }) {
  const { pair, jwk } = await keys(alg);
  const config = await register(
    issuer,
    {
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: alg,
      id_token_signed_response_alg: tokensAlg,
      authorization_signed_response_alg: tokensAlg,
      request_object_signing_alg: alg,
      require_signed_request_object: requests.includes("signed"),
      require_pushed_authorization_requests: requests.includes("pushed"),
      dpop_bound_access_tokens: Boolean(dpop),
      ...(profile ? { profile } : {}),
      grant_types: ["authorization_code", "refresh_token"],
      jwks: { keys: [jwk] },
    },
    client.PrivateKeyJwt({ key: pair.privateKey, kid: jwk.kid }),
  );
  client.enableNonRepudiationChecks(config);
  if (answers === "signed") client.useJwtResponseMode(config);
  const DPoP = dpop ? client.getDPoPHandle(config, await client.randomDPoPKeyPair(dpop)) : undefined;
  const { parameters, checks } = await begun();
  let asked = new URLSearchParams(parameters);
  let url = client.buildAuthorizationUrl(config, asked);
  if (requests.includes("signed")) {
    url = await client.buildAuthorizationUrlWithJAR(config, asked, { key: pair.privateKey, kid: jwk.kid });
    asked = url.searchParams;
  }
  if (requests.includes("pushed")) url = await client.buildAuthorizationUrlWithPAR(config, asked, { DPoP });
  const sent = [...url.searchParams.keys()];
  const back = await browse(url);
  const tokens = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP });
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  const introspected = await client.tokenIntrospection(config, renewed.access_token);
  return { ...told(tokens), sent, answered: [...back.searchParams.keys()], person, renewed: renewed.claims(), introspected };
}

async function sealed({ issuer, alg, enc }) {
  const { pair, jwk } = await keys(alg, "enc");
  const config = await register(
    issuer,
    {
      id_token_encrypted_response_alg: alg,
      id_token_encrypted_response_enc: enc,
      userinfo_signed_response_alg: "ES256",
      userinfo_encrypted_response_alg: alg,
      userinfo_encrypted_response_enc: enc,
      jwks: { keys: [jwk] },
    },
    client.ClientSecretBasic(),
  );
  client.enableDecryptingResponses(config, [enc], { key: pair.privateKey, alg, kid: jwk.kid });
  client.enableNonRepudiationChecks(config);
  const { parameters, checks } = await begun();
  const back = await browse(client.buildAuthorizationUrl(config, parameters));
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  return { ...told(tokens), parts: tokens.id_token.split(".").length, person };
}

async function device({ issuer }) {
  const grant = "urn:ietf:params:oauth:grant-type:device_code";
  const config = await register(
    issuer,
    { token_endpoint_auth_method: "none", grant_types: [grant, "refresh_token"], redirect_uris: [] },
    client.None(),
  );
  const answer = await client.initiateDeviceAuthorization(config, { scope: "openid profile offline_access" });
  const polling = client.pollDeviceAuthorizationGrant(config, answer);
  await ask({ code: answer.user_code, at: answer.verification_uri, complete: answer.verification_uri_complete });
  const tokens = await polling;
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  return { ...told(tokens), person, renewed: renewed.claims() };
}

async function backchannel({ issuer, client_id, jwk, login_hint, scope }) {
  const key = await jose.importJWK(jwk, "ES256");
  const config = await client.discovery(new URL(issuer), client_id, undefined, client.PrivateKeyJwt(key), { execute });
  const answer = await client.initiateBackchannelAuthentication(config, { scope, login_hint, binding_message: "K7" });
  const polling = client.pollBackchannelAuthenticationGrant(config, answer);
  await ask({ asked: answer.auth_req_id });
  const tokens = await polling;
  return { ...told(tokens), person: await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub) };
}

async function logout({ issuer, listener }) {
  const config = await register(
    issuer,
    { backchannel_logout_uri: listener, backchannel_logout_session_required: true },
    client.ClientSecretBasic(),
  );
  const { parameters, checks } = await begun({ scope: "openid" });
  const back = await browse(client.buildAuthorizationUrl(config, parameters));
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  const left = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token });
  const { token } = await ask({ leave: left.href });
  const { jwks_uri, issuer: expected } = config.serverMetadata();
  const { payload, protectedHeader } = await jose.jwtVerify(token, jose.createRemoteJWKSet(new URL(jwks_uri)), {
    issuer: expected,
    audience: config.clientMetadata().client_id,
    typ: "logout+jwt",
    requiredClaims: ["iat", "exp", "jti", "events"],
    maxTokenAge: 120,
  });
  return { claims: tokens.claims(), payload, header: protectedHeader };
}

async function machine({ issuer, client_id, client_secret }) {
  const config = await client.discovery(new URL(issuer), client_id, client_secret, client.ClientSecretBasic(client_secret), {
    execute,
  });
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  const tokens = await client.clientCredentialsGrant(config, {}, { DPoP });
  return { type: tokens.token_type, introspected: await client.tokenIntrospection(config, tokens.access_token) };
}

await main({ plain, strict, sealed, device, backchannel, logout, machine });
