"""Our texts in Chinese, in simplified characters."""

from __future__ import annotations

from typing import Final

from bot.domain.commands import Verb
from bot.domain.policy import Role
from bot.domain.wording.texts import Talk, Wording

_TALK: Final = Talk(
    on_comment="回复[一条评论]({url})：",
    does={
        Verb.review: "重新评审整个合并请求，暂停期间也有效",
        Verb.explain: "解释本讨论中的问题，后面可以写上你的疑问",
        Verb.fix: "为本讨论中的问题给出修复方案",
        Verb.test: "为改动的代码编写单元测试；加上 `--commit` 则另建一个合并请求",
        Verb.ignore: "不再提出本讨论中的问题，后面可以写上理由",
        Verb.resolve: "将本讨论标记为已解决",
        Verb.pause: "暂停评审本合并请求的新提交",
        Verb.resume: "恢复评审新提交",
        Verb.help: "显示此表",
    },
    roles={
        Role.reporter: "Reporter（报告者）",
        Role.developer: "Developer（开发者）",
        Role.maintainer: "Maintainer（维护者）",
        Role.owner: "Owner（所有者）",
        Role.nobody: "无人",
    },
    states={"closed": "已关闭", "merged": "已合并", "locked": "正在合并"},
    or_participant="，或本合并请求的参与者",
    help="评论中以 {name} 加命令开头的一行是写给我的：",
    help_head="| 命令 | 作用 | 最低权限 |",
    unknown="我不认识 {words}。输入 {help} 可查看全部命令。",
    needs_role="{command} 需要在本项目中至少具有 {role} 角色。",
    switched_off="本项目已停用 {command}。",
    too_many="这里一小时内的请求已超过 {limit} 条，我暂时不再回复。",
    not_open="本合并请求{state}，{command} 不再起作用。",
    needs_thread="{command} 针对的是某一个问题：请在我就该问题发起的讨论中回复。",
    forgotten="这里无法执行 {command}：我已没有本讨论所涉问题的记录。{review} 可以重新找出它。",
    reviewing="我将重新完整评审 {sha}。",
    resolved="已解决。",
    resolved_before="本讨论此前已标记为已解决。",
    ignored="已记录：不再提出此问题。",
    ignored_because="已记录：不再提出此问题。理由：{reason}",
    not_resolved="GitLab 不允许我将本讨论标记为已解决，请你自行操作。",
    paused="已暂停：在 {resume} 之前，只有用 {review} 要求时我才评审新提交。",
    paused_status="已暂停；可在评论中用 review 或 resume 要求评审",
    paused_before="此前已经暂停。",
    resumed="我恢复评审新提交，包括暂停期间的提交。",
    resumed_before="评审并未暂停。",
    testing="我正在为改动的代码编写测试，稍后会在本讨论或一条评论中给出。",
    testing_off="本项目已停用单元测试生成。",
    may_not_push="{command} 需要有权推送到源分支的账号。",
    no_model="{command} 需要语言模型，而目前没有配置。",
    model_failed="模型未能回答 {command}：{reason}",
    no_code="无法执行 {command}：此问题涉及的代码已不存在。",
    no_fix="我没有有把握的修复方案。",
    fix_by_hand="可能的修改，需手动完成，原因：{reason}",
    fix_offered="建议的修改：",
    checked="已检查：{evidence}。",
)

CHINESE: Final = Wording(language="zh", talk=_TALK)
