# Two images: `annotate`, which has no torch, and `train`, the default.
#
#     docker build --target annotate -t meprop-nlp:annotate .
#     docker build -t meprop-nlp .
#     echo "Time flies." | docker run -i --rm meprop-nlp:annotate annotate
#
# Untried: no Docker engine has been at hand. The commands in it are those of `make wheel` and of
# its test.
FROM python:3.11-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends make cmake ninja-build git \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
RUN make wheel PIP_ARGS="$PIP_ARGS"

FROM python:3.11-slim AS annotate
COPY --from=build /source/dist /tmp/dist
RUN pip install --no-cache-dir --no-deps /tmp/dist/*x86_64.whl \
    && pip install --no-cache-dir -r /tmp/dist/requirements-annotate.txt \
    && rm -r /tmp/dist
RUN useradd --create-home user
USER user
WORKDIR /home/user
ENTRYPOINT ["meprop-nlp"]

FROM annotate AS train
USER root
ARG PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
RUN pip install --no-cache-dir $PIP_ARGS "torch>=2.6"
USER user
