"""hook.py -- Telegram's webhook as a FastAPI route that raises. Needs: fastapi, uvicorn, sentry-sdk; SENTRY_DSN."""
import os

import sentry_sdk
from fastapi import FastAPI, Request

sentry_sdk.init(os.environ["SENTRY_DSN"], release=os.environ.get("RELEASE"))
app = FastAPI()


@app.post("/telegram/webhook")
async def webhook(request: Request) -> dict:
    update = await request.json()
    message = update["message"]
    sentry_sdk.set_tag("chat_id", message["chat"]["id"])
    sentry_sdk.set_user({"id": message["from"]["id"]})
    return {"method": "sendMessage", "chat_id": message["chat"]["id"], "text": message["txet"]}
