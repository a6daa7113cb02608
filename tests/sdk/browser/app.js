// app.js -- @sentry/browser in a page of another origin; ?step= and ?dsn= say what to do.
import * as Sentry from '@sentry/browser';

const query = new URLSearchParams(location.search);
Sentry.init({ dsn: query.get('dsn'), release: query.get('release'), environment: 'staging' });

function pay(amount) {
  const basket = null;
  return basket.total * amount;
}

const steps = {
  unhandled: () => setTimeout(() => pay(5), 20),
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
};
steps[query.get('step')]();
