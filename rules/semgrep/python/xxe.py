import xml.sax
from xml.sax.handler import feature_external_ges

from lxml import etree

# ruleid: python-xxe
parser = etree.XMLParser(resolve_entities=True)
reader = xml.sax.make_parser()
# ruleid: python-xxe
reader.setFeature(feature_external_ges, True)
# ok: python-xxe
reader.setFeature(feature_external_ges, False)
# ok: python-xxe
safe = etree.XMLParser(resolve_entities=False, no_network=True)
# ok: python-xxe
default = etree.XMLParser(remove_blank_text=True)
