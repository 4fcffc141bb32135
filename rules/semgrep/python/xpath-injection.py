from flask import request
from lxml import etree


def find(tree):
    name = request.args["name"]
    # ruleid: python-xpath-injection
    tree.xpath("//user[@name='" + name + "']")
    # ruleid: python-xpath-injection
    etree.XPath(f"//user[@name='{request.form['name']}']")
    # ok: python-xpath-injection
    tree.xpath("//user[@name=$name]", name=name)
    # ok: python-xpath-injection
    return tree.xpath(f"//user[{int(request.args['number'])}]")
