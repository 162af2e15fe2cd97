// The vendor's JavaScript SDK, unmodified, through its gateway setting: one origin, over TLS. Not a test.
// Arguments: host, port, client id, client secret, topic. Prints what it got as one JSON object.
const platformClient = require("purecloud-platform-client-v2");

const [host, port, clientId, clientSecret, topic] = process.argv.slice(2);

async function refusal(promise) {
  try {
    return { answered: await promise };
  } catch (error) {
    // A refused call rejects with the platform's envelope, a refused login with the HTTP library's error.
    const login = error.response ? error.response.data : {};
    return { status: error.status, code: error.code, error: login.error };
  }
}

async function main() {
  const client = platformClient.ApiClient.instance;
  client.setGateway({ host, protocol: "https", port });
  const wrong = await refusal(client.loginClientCredentialsGrant(clientId, "wrong"));
  const login = await client.loginClientCredentialsGrant(clientId, clientSecret);
  const me = await new platformClient.TokensApi().getTokensMe();
  const user = await refusal(new platformClient.UsersApi().getUsersMe());
  const notifications = new platformClient.NotificationsApi();
  const channel = await notifications.postNotificationsChannels();
  const topics = await notifications.putNotificationsChannelSubscriptions(channel.id, [{ id: topic }]);
  const invalid = await refusal(
    notifications.postNotificationsChannelSubscriptions(channel.id, [{ id: "v2.nothing" }]),
  );
  console.log(JSON.stringify({ wrong, expires: login.tokenExpiryTime, me, user, channel, topics, invalid }));
}

main().catch((error) => {
  console.error(error.message || error);
  process.exit(1);
});
