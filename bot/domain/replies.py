"""What a reply says about our comment, by rules: words of English, Chinese, German and French, and emoji.

Rules stand in where no model is configured or none answers. They would rather say nothing (``other``) than guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from bot.domain.signals import ReplyClass

#: Stored beside what the rules say; it changes with them.
VERSION: Final = "rules:4"
#: What is read of a reply. Who writes more than this says more than one thing.
READ_CHARS: Final = 4_000

#: Code, quotes and links are not the words of whoever replies.
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)", re.DOTALL | re.MULTILINE)
_GITLAB_QUOTE = re.compile(r"^>>>\s*$.*?(?:^>>>\s*$|\Z)", re.DOTALL | re.MULTILINE)
_QUOTE = re.compile(r"^ {0,3}>.*$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_ADDRESS = re.compile(r"https?://\S+")
_SENTENCE = re.compile(r"[^.!?。;\n]+[.!?。;]*")
#: Who begins so is polite.
_POLITE = re.compile(r"^\W*(?:no|kein|pas de) (?:problem|problème)\s*(?:[,.!:;–—-]|$)", re.IGNORECASE)
#: Chinese asks without a sign, too.
_ASKS = re.compile(r"[?]\s*$|(?:吗|呢)\W*$|^\W*(?:为什么|为何|怎么|是否|是不是|会不会|难道)")
#: What somebody does not know yet, or will ask others: it is not their word.
_DOUBTS = re.compile(
    r"(?:^\W*if\b|\b(?:(?:not|don't|doesn't) (?:\w+ )?(?:know|sure|certain)|unsure|no idea|wonder(?:ing)?|ask|check|see|discuss|decide)\b[^,]*?\b(?:if|whether)\b|\b(?:weiß nicht|unklar|prüfe|je ne sais pas|pas sûr)\b[^,]*?,? (?:ob|si|que)\b)[^,]*",
    re.IGNORECASE,
)

_MENDED: Final = "(?:fixed|done|resolved|addressed|corrected|updated)"
_MENDED_ELSEWHERE: Final = "behoben|gefixt|korrigiert|erledigt|geändert|corrigé|résolu|modifié"
#: Who says so too means the code by what is wrong.
_ADMITS: Final = re.compile(
    rf"^\W*{_MENDED}\b(?!-)|\b(?:good catch|well spotted|my bad|oops|indeed|you(?:'re| are| were) right|(?:fixed|fixing) now|(?:will|i'll) fix)\b|^\W*(?:yes|yep|yeah|yup)\b(?!.*\bbut\b)|已(?:经)?(?:修|改)|(?:^\W*|, |\b(?:j'ai |habe (?:es |das )?))(?:{_MENDED_ELSEWHERE})\b",
    re.IGNORECASE,
)
_IS_WRONG: Final = re.compile(
    r"\b(?:that|this|it)(?:'s| is) (?:\w+ )?(?:wrong|incorrect|invalid)\b|\bdas ist falsch\b|\bc'est faux\b",
    re.IGNORECASE,
)

#: Classes in the order in which they win, each with what says so.
_SAYS: Final = tuple(
    (kind, re.compile("|".join(patterns), re.IGNORECASE))
    for kind, patterns in (
        (
            ReplyClass.wrong,
            (
                r"(?<!\bnot )(?<!\bnot a )(?<!n't a )\bfalse[- ](?:positive|alarm)s?\b",
                r"\b(?:not|isn'?t|aren'?t|no) (?!longer\b|more\b)(?:\w+ )?(?:an? |the )?(?:\w+ )?(?:bug|issue|problem|vulnerabilit(?:y|ies)|risk|injection|leak|flaw|defect|exploitable|reachable)\b(?!,? (?:any ?more|any longer|now)\b)",
                r"^\W*(?:wrong|incorrect)\s*(?:[.,:!]|$)|^\s*-1\s*$",
                r"\b(?:that|this|it)(?:'s| is) (?!not\b)(?:\w+ )?(?:wrong|incorrect|invalid|nonsense|irrelevant|untrue)\b",
                r"\byou(?:'re| are) (?!not\b)(?:\w+ )?(?:wrong|mistaken)\b",
                r"\b(?:not|isn'?t|aren'?t) (?:true|correct|right|valid|applicable|relevant|the case)\b",
                r"\b(?:does not|doesn'?t) (?:apply|make sense)\b",
                r"\b(?:can ?not|can'?t|never) (?:happen|be (?:null|none|nil|empty|reached|negative|zero))\b",
                r"\b(?:don'?t|do not) (?:think|believe)(?: that)? (?:this|it|that|there)(?:'s| is)(?: (?:really|actually))? (?:an? |any )?(?:real |actual )?(?:bug|issue|problem|right|correct|necessary|needed|valid)\b",
                r"^\W*(?:no\W+)?(?:this|that|it)(?:'s| is) (?:\w+ly )?(?:fine|safe|ok|okay|harmless)\W*$",
                r"^\W*(?:fp|irrelevant|useless|untrue|noise)\W*$|\b(?:bad|wrong|useless|terrible) suggestion\b",
                r"\b(?:suggestion|fix) (?:is wrong|breaks|(?:does not|doesn'?t|won'?t) (?:compile|work))|\bbot(?:'s| is) wrong\b|\bnever happens\b|\b(?:you|it|this|that|bot|cloister) (?:has |have )?mis(?:read|understood)\b|\bnot how (?:this|that|it) works\b",
                r"误判|没有(?:bug|风险|漏洞)|不存在(?:这个|该|此)?(?:问题|风险|漏洞|bug)|理解(?:错|有误)|不认同|不会(?:发生|为空|出现)|错误的建议|建议(?:有误|错误)",
                r"\b(?:disagree|don'?t agree|do not agree|hallucinat\w+|bogus|nonsense)\b",
                r"(?<!不是)(?<!不算)(?<!并非)(?:误报|假阳性)|不是(?:问题|bug|漏洞|缺陷)|(?<!对)不对|判断(?:错|有误)|说错|不适用|不成立|胡说|不同意|不赞同|不可能(?:为|是|发生)|没有这个问题",
                r"(?<!kein )\b(?:fehlalarm\b|falsch[- ]?positiv)|\bkeine? (?:\w+ )?(?:fehler|bug|problem|risiko|sicherheitslücke)\b(?! mehr)|\b(?:stimmt|trifft) (?:so |hier )?nicht\b|\b(?:das|dies|es) ist (?:so |leider )?(?:falsch|unsinn|quatsch)\b|\bnicht (?:richtig|korrekt|zutreffend|relevant)\b",
                r"(?<!pas un )\bfaux[- ]positifs?\b|\bfausse alerte\b|\bc'est (?:totalement |complètement )?faux\b|\bpas (?:une? |de |d')?(?:vrai )?(?:bug|problème|erreur|faille|risque|vrai|correct|exact|applicable)\b|\bne? ?(?:peut|peuvent) pas (?:arriver|être)\b|\bpas d'accord\b",
                r"👎|:thumbsdown:|:-1:|❌",
            ),
        ),
        (
            ReplyClass.wont_fix,
            (
                r"\b(?:won'?t|will not|not going to|wont) (?:be )?(?:fix|fixed|change|changed|do|address)\b|\bwontfix\b",
                r"\b(?:by design|on purpose|intentional(?:ly)?|deliberate(?:ly)?|as (?:intended|designed|expected)|(?:is|was|'s) intended)\b",
                r"\b(?:out of scope|not in (?:the )?scope|not worth|accept(?:ed|able)? (?:the |this )?risk|known (?:issue|limitation))\b",
                r"\b(?:(?:in a|as a|for a) (?:follow[- ]?up|later|separate|future)|another (?:mr|pr|merge request|ticket)|follow[- ]?up)\b",
                r"\b(?:leave|leaving|keep|keeping) (?:it|this|that|as)\b|\bnot now\b|\blater\b|\brather not\b|\bnot touching\b|\b(?:tracked|tracking) (?:it |this )?(?:in|as|by)\b",
                r"(?<!nicht )(?<!keine )\b(?:absicht(?:lich)?|beabsichtigt|so gewollt)\b|\bnicht (?:jetzt|in diesem)\b|\bspäter\b|\bbleibt so\b|\bnicht (?:ge|be)(?:ändert|fixt|hoben) werden\b|\bwird (?:hier )?nicht (?:geändert|gefixt|behoben)\b",
                r"(?<!pas )\b(?:voulu|intentionnel(?:lement)?|volontaire(?:ment)?|exprès)\b|\b(?:pas maintenant|plus tard)\b|\bhors (?:du )?(?:périmètre|sujet)\b|\bne? ?(?:corrige|change|corrigera|changera|corrigerons|changerons)\w* pas\b",
                r"下次(?:再)?(?:改|修|处理|优化)|先这样|保持(?:不变|现状|原样)|历史(?:原因|遗留)|设计就是|(?:以后|后面|后续)(?:再)?(?:改|修|处理|优化)|不在.{0,4}范围|接受.{0,2}风险|(?:无需|不需要|不用|没必要)(?:修)?改",
                r"不(?:修|改|处理|管|做)了?|暂(?:不|时不)|先不|以后再|后续再|下个(?:版本|迭代)|故意|有意为之|设计如此|按设计|符合预期|预期行为|可以接受|超出范围",
            ),
        ),
        (
            ReplyClass.agrees,
            (
                # What *is* fixed, done or resolved may be so elsewhere, and ever since.
                r"(?<!not )(?<!n't )(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )(?<!\bgets )(?<!\balready )(?<!'s )"
                rf"\b{_MENDED}\b(?! yet|-)",
                rf"(?:\bis|\bare|'s) (?:now )?{_MENDED}(?: now\b| in `?[0-9a-f]{{7,40}}\b|\W*$)|\b(?:is|are) now {_MENDED}\b",
                r"\b(?:good|nice|great) (?:catch|point|find|spot|call)\b|\bfair (?:point|enough)\b|\bmy mistake\b|\bpushed a fix\b|\bfixing\b(?! (?:this|that|it) (?:would|could|might|is)\b)|^\W*on it\W*$",
                r"\byou(?:'re| are| were) (?:\w+ )?(?:right|correct)\b|^\W*absolutely right\b|\b(?:agreed|i agree|makes sense|my bad|oops|well spotted|indeed|good idea)\b",
                r"(?:^\W*|\b(?:very|so|quite|that'?s|that is) )true\s*(?:[,.!]|$)|^\s*\+1\s*$",
                r"\b(?:will|i'll|let me|going to) (?:\w+ )?(?:fix|change|do|update|address|correct)\b",
                r"\b(?:thanks|thank you|thx|cheers)\b|^\W*(?:yes|yep|yup|yeah|right|correct|ok|okay|ack|legit)\b|^\W*(?:sure|definitely|absolutely)\W*$|^\W*(?:applied|changed|accepted|adopted|removed|renamed|replaced)\b",
                rf"(?<!nicht )(?<!pas )(?<!pas encore )(?<!non )\b(?:{_MENDED_ELSEWHERE})\b|\b(?:danke|guter (?:hinweis|fund|punkt)|gut gesehen|(?:du hast|sie haben) recht)\b|\bstimmt\b|\b(?:merci|bien vu|bonne remarque|d'accord|c'est fait|(?:tu as|vous avez) raison|en effet)\b",
                r"已(?:经)?(?:修|改|解决|处理|更新)|(?:改|修)(?:好|掉|正|复)(?:了|啦)?|好的|谢谢|感谢|多谢|(?<!不)同意|(?<!不)赞同|确实|说得对|有道理|没错|收到|采纳|疏忽|已按.{0,12}(?:修|改)|我(?:来|去|马上|这就)?改(?!不)|^\W*(?:赞|改了)\W*$|马上(?:改|修)|(?<!不)会(?:改|修)|^\W*对(?:的|$)",
                r"👍|:thumbsup:|:\+1:|✅|:white_check_mark:|🙏",
            ),
        ),
    )
)
_QUESTION = re.compile(
    r"^\W*(?:why|how|what|which|where|when|who|is|are|does|do|did|can|could|should|would|warum|wieso|weshalb|pourquoi)\b.*|.*(?:吗|呢|为什么|为何|怎么|如何|什么意思|有什么|是什么|是否).*",
    re.IGNORECASE,
)


def classified(text: str) -> ReplyClass:
    """Return what *text*, a reply in Markdown, says.

    What is asked does not count as said: *is this wrong?* is a question. Of several sentences the gravest word wins.
    """
    # Chinese has signs of its own for what ends a sentence.
    text = unicodedata.normalize("NFKC", text[:READ_CHARS])
    asks = False
    said: list[str] = []
    for sentence in _sentences(text[:READ_CHARS]):
        asking = bool(_ASKS.search(sentence))
        asks |= asking
        if not asking:
            said.append(_DOUBTS.sub("", _POLITE.sub("", sentence)))
    if any(map(_ADMITS.search, said)):
        said = [_IS_WRONG.sub("", sentence) for sentence in said]
    for kind, pattern in _SAYS:
        if any(pattern.search(sentence) for sentence in said):
            return kind
    if asks or any(_QUESTION.fullmatch(sentence.strip()) for sentence in said):
        return ReplyClass.question
    return ReplyClass.other


def _sentences(text: str) -> Iterator[str]:
    for pattern in (_FENCED, _GITLAB_QUOTE, _QUOTE, _CODE, _ADDRESS):
        text = pattern.sub(" ", text)
    text = text.replace("’", "'")
    for match in _SENTENCE.finditer(text):
        if sentence := match[0].strip():
            yield sentence
