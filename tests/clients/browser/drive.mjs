// drive.mjs -- a person at a real browser: steps from the command line, and what the page said on the way.
//   node drive.mjs '{"url": "...", "steps": [["click", "#pay"], ["eval", "code"], ["wait", 100], ["goto", "url"], ["close"]]}'
import { createRequire } from 'node:module';

const { chromium } = createRequire(process.env.NODE_PATH + '/')('playwright-core');
const { url, steps } = JSON.parse(process.argv[2]);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-gpu',
  '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
const context = await browser.newContext();
const page = await context.newPage();
page.on('console', (m) => console.error(m.text()));
await page.goto(url);
const out = [];
for (const [what, value] of steps) {
  if (what === 'click') await page.click(value);
  else if (what === 'fill') await page.fill(...value);
  else if (what === 'eval') out.push(await page.evaluate(value));
  else if (what === 'wait') await page.waitForTimeout(value);
  else if (what === 'goto') await page.goto(value);
  else if (what === 'close') await page.close({ runBeforeUnload: true });
  else throw new Error(`no step is called ${what}`);
}
await new Promise((done) => setTimeout(done, 300)); // a beacon leaves after its page
await browser.close();
console.log(JSON.stringify({ out }));
