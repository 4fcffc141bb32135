<?php
function read(DOMDocument $document, $xml) {
    // ruleid: php-xml-entities
    $document->loadXML($xml, LIBXML_NOENT | LIBXML_NOBLANKS);
    // ruleid: php-xml-entities
    $root = simplexml_load_string($xml, 'SimpleXMLElement', LIBXML_NOENT);
    // ok: php-xml-entities
    $document->loadXML($xml, LIBXML_NONET);
    // ok: php-xml-entities
    $root = simplexml_load_string($xml);
}
