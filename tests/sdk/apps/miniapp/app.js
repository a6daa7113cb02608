// app.js -- a Mini App page whose button throws. Needs @sentry/browser; bundle it, for one with
//   esbuild app.js --bundle --outfile=bundle.js --define:DSN='"https://KEY@nabat.example/2"' --define:RELEASE='"1.0"'
// Use the key of a project of its own: pages show their key to everybody
//   nabat --project add miniapp max_severity=error rate=600
import * as Sentry from '@sentry/browser';

Sentry.init({ dsn: DSN, release: RELEASE });

// What Telegram hands to the page is signed with the bot's token: of it only who and where is told.
const launch = new URLSearchParams(location.hash.slice(1));
const data = new URLSearchParams(launch.get('tgWebAppData') || '');
const user = JSON.parse(data.get('user') || 'null');
const chat = JSON.parse(data.get('chat') || 'null');
if (user) Sentry.setUser({ id: String(user.id) });
if (chat) Sentry.setTag('chat_id', String(chat.id));
Sentry.setTag('handler', 'shop');

document.getElementById('pay').addEventListener('click', function onPay() {
  const basket = null;
  alert(basket.total);
});
