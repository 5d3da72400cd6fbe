"""The HTTP server: UDPipe's REST interface, a JSON one, and a page to try a sentence on.

    models = ServedModels([ServedModel(("en",), load("en"))])
    application = make_app(Service(models, Limits(), Workers(2), "1.0"))

Only `commands/serve.py` imports this folder. Starlette and uvicorn come with the extra `serve`.
"""
