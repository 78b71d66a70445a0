// Sends one call of each kind by the official library for Node: node send.cjs PACKAGES URL KEY
const { createRequire } = require("node:module");
const [packages, host, writeKey] = process.argv.slice(2);
const { Analytics } = createRequire(`${packages}/`)("@segment/analytics-node");

async function main() {
  const analytics = new Analytics({ writeKey, host, flushAt: 4, flushInterval: 100 });
  const failures = [];
  analytics.on("error", (error) => failures.push(String(error.reason ?? error.code)));
  const userId = "u-node";
  analytics.identify({ userId, traits: { email: "li@example.com", 城市: "上海" } });
  analytics.track({ userId, event: "Order Completed", properties: { total: 27.5, html: "<b>" } });
  analytics.page({ anonymousId: "a-node", name: "Home" });
  analytics.screen({ anonymousId: "a-node", name: "Start" });
  analytics.group({ userId, groupId: "acme", traits: { industry: "retail" } });
  analytics.alias({ userId, previousId: "a-node" });
  await analytics.closeAndFlush({ timeout: 15000 });
  process.stdout.write(JSON.stringify(failures));
}

main();
