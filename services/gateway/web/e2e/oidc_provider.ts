import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Provider from "oidc-provider";
import { makeAuthority, publicKeyHash } from "./processes.js";

const kClientId = "live-map";
/** The roles of the accounts, by name. The provider knows everybody else, too, but no role. */
const kRoles: Readonly<Record<string, string>> = { ada: "rider", dora: "driver" };

/** An OpenID Connect provider on a free port, over TLS with a certificate of an authority of its
 * own. Its page signs in everybody, under the name and with the password that they like. It demands
 * PKCE, and the client's secret. */
export class OidcProvider {
  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    private readonly secret: string,
    /** See publicKeyHash. */
    readonly keyHash: string,
  ) {}

  /** Listens. `serve` must follow before a browser comes. */
  static async listen(folder: string): Promise<OidcProvider> {
    await makeAuthority(folder, ["provider"]);
    const cert = await readFile(join(folder, "provider.pem"));
    const key = await readFile(join(folder, "provider.key"));
    const secret = randomUUID();
    await writeFile(join(folder, "secret"), secret, { mode: 0o600 });
    const server = createServer({ cert, key });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new OidcProvider(server, folder, secret, publicKeyHash(cert));
  }

  /** On another site than the gateway's 127.0.0.1, as in production: sites differ by their host. */
  get issuer(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** The flags of a gateway at which people sign in here. */
  get gatewayFlags(): string[] {
    return [
      `--oidc_issuer=${this.issuer}`,
      `--oidc_client_id=${kClientId}`,
      `--oidc_client_secret=${join(this.folder, "secret")}`,
      `--oidc_authorities=${join(this.folder, "authority.pem")}`,
    ];
  }

  /** Registers the gateway at `origin` and serves. */
  serve(origin: string): void {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const signingKey = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256" };
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: kClientId,
          client_secret: this.secret,
          redirect_uris: [`${origin}/sign-in/callback`],
          response_types: ["code"],
          grant_types: ["authorization_code"],
          id_token_signed_response_alg: "ES256",
        },
      ],
      jwks: { keys: [{ ...signingKey, kid: randomUUID() }] },
      cookies: { keys: [randomUUID()] },
      pkce: { required: () => true, methods: ["S256"] },
      ttl: Object.fromEntries(
        ["AccessToken", "Grant", "IdToken", "Interaction", "Session"].map((each) => [each, 600]),
      ),
      claims: { openid: ["sub", "role"] },
      conformIdTokenClaims: false, // The gateway reads the ID token alone.
      findAccount: (_context, name) => ({
        accountId: name,
        claims: () => ({ sub: name, role: kRoles[name] }),
      }),
    });
    const handler = provider.callback();
    this.server.on("request", (request, response) => void handler(request, response));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
