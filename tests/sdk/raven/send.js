// send.js -- raven-node 2, which still runs in old bots: its body is base64 of deflated JSON.
const Raven = require('raven');

const dsn = process.env.SENTRY_DSN.replace('@', ':a-secret-as-of-old@');
Raven.config(dsn, { release: process.env.APP_RELEASE, environment: 'staging' }).install();

function pay(amount) {
  const basket = null;
  return basket.total * amount;
}

const steps = {
  unhandled: () => setTimeout(() => pay(5), 10),
  message: () => Raven.captureMessage('hello from here', { level: 'info' }),
  chained: () => Raven.captureException(new Error('cannot load the card', { cause: new RangeError('no card') })),
  scope: () => {
    Raven.setContext({ user: { id: '42', email: 'ann@example.org' }, tags: { plan: 'pro', chat_id: -100777 } });
    Raven.captureBreadcrumb({ category: 'ui', message: 'step one' });
    try { pay(7); } catch (e) { Raven.captureException(e); }
  },
};
steps[process.argv[2]]();
