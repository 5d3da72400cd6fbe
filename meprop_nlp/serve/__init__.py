"""The HTTP server: UDPipe's REST interface, a JSON one, and a page to try a sentence on.

    application = make_app(Shelf([Served(("en",), load("en"))]), Limits())

Only `commands/serve.py` imports this folder. Starlette and uvicorn come with the extra `serve`.
"""
