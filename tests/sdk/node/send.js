// send.js -- @sentry/node as its documentation starts it (versions 7 and 10).
const Sentry = require('@sentry/node');

Sentry.init({ dsn: process.env.SENTRY_DSN, release: process.env.APP_RELEASE, environment: 'staging' });

function pay(amount) {
  const basket = null;
  return basket.total * amount;
}

const steps = {
  unhandled: () => setTimeout(() => pay(5), 10),
  message: () => Sentry.captureMessage('hello from here'),
  chained: () => Sentry.captureException(new Error('cannot load the card', { cause: new RangeError('no card') })),
  scope: () => {
    Sentry.setUser({ id: '42', email: 'ann@example.org' });
    Sentry.setTag('plan', 'pro');
    Sentry.setTag('chat_id', '-100777');
    Sentry.addBreadcrumb({ category: 'ui', message: 'step one', level: 'info' });
    try { pay(7); } catch (e) { Sentry.captureException(e); }
  },
  feedback: () => {
    const id = Sentry.captureMessage('something is odd');
    Sentry.captureFeedback({ name: 'Ann', email: 'ann@example.org', message: 'it broke', associatedEventId: id });
  },
  checkin: () => {
    const config = { schedule: { type: 'crontab', value: '*/5 * * * *' }, timezone: 'Europe/Moscow' };
    const id = Sentry.captureCheckIn({ monitorSlug: 'node-job', status: 'in_progress' }, config);
    Sentry.captureCheckIn({ checkInId: id, monitorSlug: 'node-job', status: 'ok', duration: 1.5 });
  },
};
steps[process.argv[2]]();
if (process.argv[2] !== 'unhandled') Sentry.flush(3000);
