"""bot.py -- an aiogram 3 bot whose handler raises. Needs: aiogram, sentry-sdk; BOT_TOKEN, SENTRY_DSN.

aiogram logs what a handler raises; the SDK sends what is logged. Chat and user need no line of code:
they are read from the update among the frames' variables.
"""
import asyncio
import os

import sentry_sdk
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.types import Message

sentry_sdk.init(os.environ["SENTRY_DSN"], release=os.environ.get("RELEASE"))
dispatcher = Dispatcher()


@dispatcher.message(Command("pay"))
async def pay(message: Message) -> None:
    prices = {}
    await message.answer(f"That is {prices['total']}")


async def main() -> None:
    api = TelegramAPIServer.from_base(os.environ.get("BOT_API_URL", "https://api.telegram.org"))
    bot = Bot(os.environ["BOT_TOKEN"], session=AiohttpSession(api=api))
    await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.run(main())
