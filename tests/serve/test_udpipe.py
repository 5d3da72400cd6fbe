"""UDPipe's REST interface: what its clients send is answered as they expect."""

from __future__ import annotations

from collections.abc import Callable
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import HTTP

import pytest

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.models.model import Model

from .conftest import FORM, Client, Reply

pytestmark = pytest.mark.extras

TEXT = "The dog barks. It is Peter's cat."
ALL = {"tokenizer": "", "tagger": "", "parser": ""}
BARE = "1\tIt\t_\t_\t_\t_\t_\t_\t_\t_\n2\trains\t_\t_\t_\t_\t_\t_\t_\t_\n\n"


def multipart(path: str, parameters: dict[str, str], client: Client) -> Reply:
    """Send parameters as a program made of Python's email package does."""
    message = MIMEMultipart("form-data", policy=HTTP)
    for name, value in parameters.items():
        part = MIMENonMultipart("text", "plain")
        part.add_header("Content-Disposition", f'form-data; name="{name}"')
        part.set_payload(value, charset="utf-8")
        part.replace_header("Content-Transfer-Encoding", "8bit")
        part.set_payload(value.encode().decode("ascii", "surrogateescape"))
        message.attach(part)
    head, _, body = message.as_bytes().partition(b"\r\n\r\n")
    assert b"multipart" in head
    return client("POST", path, body, content_type=str(message["Content-Type"]))


def curl_form(parameters: dict[str, str], client: Client, *, file: bool) -> Reply:
    """Send parameters as curl's -F does, with the data as a file or not."""
    named = '; filename="a.txt"\r\nContent-Type: text/plain' if file else ""
    boundary = "-" * 24 + "d74496d66958873e"
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        f"{named if name == 'data' else ''}\r\n\r\n{value}\r\n"
        for name, value in parameters.items()
    )
    return client(
        "POST",
        "/process",
        f"{parts}--{boundary}--\r\n".encode(),
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def test_models_are_listed(client: Client) -> None:
    for reply in (client.get("/models"), client("POST", "/models")):
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json"
        assert reply.json == {
            "models": {
                "english-ewt": ["tokenizer", "tagger", "parser"],
                "tags": ["tokenizer", "tagger"],
            },
            "default_model": "english-ewt",
        }


def test_every_way_to_send_gives_the_same(client: Client, english: Model) -> None:
    text = f"{TEXT} Děti pojedou k babičce. 中文。"
    parameters = ALL | {"data": text, "model": "english"}
    replies = [
        client.get("/process", **parameters),
        client.form("/process", **parameters),
        curl_form(parameters, client, file=False),
        curl_form(parameters, client, file=True),
        multipart("/process", parameters, client),
        client.form("/services/udpipe/api/process", **parameters),
    ]
    assert [reply.status for reply in replies] == [200] * 6
    expected = {
        "model": "english-ewt",
        "acknowledgements": ["a licence"],
        "result": f"# newdoc\n{english(text).to_conllu()}",
    }
    for reply in replies:
        assert reply.headers["content-type"] == "application/json"
        assert reply.json == expected


def test_parameters_without_a_value_count(client: Client) -> None:
    reply = client("GET", "/process", query="tokenizer&tagger&parser&data=It+rains.")
    (sentence,) = read_text(reply.json["result"])
    assert [word.upos for word in sentence] == ["PRON", "VERB", "PUNCT"]


def test_curl_sends_umlauts_as_they_are(client: Client) -> None:
    body = "tokenizer=&data=Děti pojedou k babičce. Už se těší.".encode()
    result = client("POST", "/process", body, content_type=FORM).json["result"]
    assert "# text = Děti pojedou k babičce." in result


def test_only_what_is_asked_for_is_predicted(client: Client, english: Model) -> None:
    def columns(**parameters: str) -> tuple[list[str], list[int]]:
        reply = client.form("/process", data=BARE, **parameters)
        (sentence,) = read_text(reply.json["result"])
        return [word.upos for word in sentence], [word.head for word in sentence]

    assert columns() == (["_", "_"], [-1, -1])
    assert columns(tagger="") == (["PRON", "VERB"], [-1, -1])
    assert columns(parser="") == (["_", "_"], [2, 0])
    assert columns(tagger="", parser="") == (["PRON", "VERB"], [2, 0])


def test_parser_reads_the_tags_that_are_there(client: Client, english: Model) -> None:
    tagged = BARE.replace("rains\t_\t_", "rains\train\tNOUN")
    result = client.form("/process", data=tagged, parser="").json["result"]
    assert "2\trains\train\tNOUN\t" in result


def test_without_anything_the_data_is_written_again(client: Client) -> None:
    assert client.form("/process", data=f"# a\n{BARE}").json["result"] == f"# a\n{BARE}"


@pytest.mark.parametrize(
    ("name", "data"),
    [("horizontal", "It rains\n"), ("vertical", "It\nrains\n"), ("conllu", BARE)],
)
def test_words_come_in_three_forms(client: Client, name: str, data: str) -> None:
    result = client.form("/process", data=data, input=name, tagger="").json["result"]
    (sentence,) = read_text(result)
    assert [(word.form, word.upos) for word in sentence] == [("It", "PRON"), ("rains", "VERB")]


def test_generic_tokenizer_is_the_models(client: Client) -> None:
    first = client.form("/process", data=TEXT, input="generic_tokenizer").json
    assert first == client.form("/process", data=TEXT, tokenizer="").json
    ranges = client.form("/process", data=TEXT, input="generic_tokenizer=ranges").json["result"]
    assert "TokenRange=0:3" in ranges


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("horizontal", "The dog barks .\nIt is Peter 's cat .\nNew .\n"),
        ("horizontal=paragraphs", "The dog barks .\nIt is Peter 's cat .\n\nNew .\n"),
        (
            "vertical",
            "The\ndog\nbarks\n.\n\nIt\nis\nPeter\n's\ncat\n.\n\nNew\n.\n\n",
        ),
        ("plaintext", f"{TEXT}\n\nNew."),
        ("plaintext=normalized_spaces", "The dog barks.\nIt is Peter's cat.\n\nNew.\n"),
    ],
)
def test_result_comes_in_other_forms(client: Client, output: str, expected: str) -> None:
    data = f"{TEXT}\n\nNew."
    assert (
        client.form("/process", data=data, tokenizer="", output=output).json["result"] == expected
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "The parameter 'data' is required."),
        ({"data": "a", "model": "klingon"}, "The requested model 'klingon' does not exist."),
        ({"data": "a", "output": "matxin"}, "'matxin' is UDPipe's alone; this server has conllu,"),
        ({"data": "a", "output": "x"}, "Unknown output format 'x'; this server has conllu,"),
        ({"data": "a", "input": "epe"}, "'epe' is UDPipe's alone"),
        ({"data": "a", "input": "x"}, "Unknown input format 'x'"),
        ({"data": "a"}, "Cannot process the input: data:1: found 1 column"),
        ({"data": "a", "tokenizer": "", "model": "tags", "parser": ""}, "'tags' has no parser."),
        ({"data": "a\0b", "tokenizer": ""}, "Cannot process the input: <stream>:1: a NUL byte"),
    ],
)
def test_errors_are_a_line_of_text(
    client: Client, parameters: dict[str, str], message: str
) -> None:
    reply = client.form("/process", **parameters)
    assert (reply.status, reply.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert message in reply.text
    assert not client.reports


def test_bodies_that_cannot_be_read_are_refused(client: Client) -> None:
    kind = "multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n'
    for body, content_type, status in [
        (b"data=%ff", FORM, 400),
        (b"data=\xff", FORM, 400),
        (b"&".join([b"a=b"] * 101), FORM, 400),
        (b"x", "text/plain", 415),
        (b"x", "", 415),
        (b"", kind, 400),
        (part + b"It rains.", kind, 400),  # no end
        (part + b"\xff\r\n--x--\r\n", kind, 400),
        (b"--y\r\n", kind, 400),
        (b"x", "multipart/form-data", 400),
        ((part + b"a\r\n") * 101 + b"--x--\r\n", kind, 400),
    ]:
        reply = client("POST", "/process", body, content_type=content_type)
        assert reply.status == status, (body[:60], reply.text)
        assert reply.text.startswith(("Cannot parse", "Unsupported", "There are over 100"))


def test_of_two_parameters_of_one_name_the_last_counts(client: Client) -> None:
    query = "data=a&tokenizer&data=b&output=horizontal"
    assert client("GET", "/process", query=query).json["result"] == "b\n"


def test_unknown_addresses_and_methods_are_refused(client: Client) -> None:
    assert client.get("/proces").status == 404
    assert client("DELETE", "/process").status == 405
    assert client("HEAD", "/models").status == 200


def test_long_texts_are_annotated_whole(make_client: Callable[..., Client], english: Model) -> None:
    text = "\n\n".join(f"The {n}. dog barks." for n in range(1500))
    reply = make_client().form("/process", data=text, tokenizer="ranges", output="plaintext")
    assert reply.json["result"] == text
