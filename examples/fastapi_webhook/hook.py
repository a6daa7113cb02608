"""hook.py -- Telegram's webhook as a FastAPI route that raises: one add_middleware is all it takes."""
import os

import nabat
import nabat.asgi
from fastapi import FastAPI, Request

if os.environ.get("SENTRY_DSN"):  # a Sentry SDK may stay beside the client
    import sentry_sdk
    sentry_sdk.init(os.environ["SENTRY_DSN"])
nabat.init(release=os.environ.get("RELEASE"))
app = FastAPI()
app.add_middleware(nabat.asgi.NabatMiddleware, telegram_paths=["/telegram/webhook"])


@app.post("/telegram/webhook")
async def webhook(request: Request) -> dict:
    update = await request.json()
    return {"method": "sendMessage", "chat_id": update["message"]["chat"]["id"], "text": update["message"]["txet"]}


@app.get("/orders/{order}")
def order(order: int) -> dict:
    nabat.bind(user_id=31)
    raise ValueError(f"order {order} has no price")
