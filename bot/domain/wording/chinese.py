"""Our texts in Chinese, in simplified characters."""

from __future__ import annotations

from typing import Final

from bot.domain.commands import Verb
from bot.domain.findings import Confidence, Severity
from bot.domain.policy import Role
from bot.domain.risk import Ground, Level
from bot.domain.waiving import Said
from bot.domain.wording.chinese_phrases import PHRASES
from bot.domain.wording.phrases import Phrases
from bot.domain.wording.texts import (
    CommentText,
    Counted,
    Fate,
    ProofText,
    RiskText,
    SummaryText,
    Talk,
    Wording,
)

_TALK: Final = Talk(
    on_comment="回复[一条评论]({url})：",
    does={
        Verb.review: "重新评审整个合并请求，暂停期间也有效",
        Verb.explain: "解释本讨论中的问题，后面可以写上你的疑问",
        Verb.fix: "为本讨论中的问题给出修复方案",
        Verb.test: "为改动的代码编写单元测试；加上 `--commit` 则另建一个合并请求",
        Verb.ignore: "不再提出本讨论中的问题，后面可以写上理由",
        Verb.resolve: "将本讨论标记为已解决",
        Verb.waive: "让阻断合并的问题在一段时间内通过，或申请放行：`waive [问题] until 日期 because 理由`",
        Verb.unwaive: "撤回放行或放行申请：`unwaive [问题]`",
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
    no_run="{command} 需要先评审最新提交，而目前还没有。可用 {review} 要求评审。",
    no_fix="我没有有把握的修复方案。",
    fix_by_hand="可能的修改，需手动完成，原因：{reason}",
    fix_offered="建议的修改：",
    checked="已检查：{evidence}。",
    waiving={
        Said.granted: "已放行：{finding} 在 {until} 之前（含当日）不再阻断合并。理由：{reason}",
        Said.asked: "已记录：申请放行 {finding}，至 {until}。至少具有 {role} 角色的人可用 {grant} 批准。",
        Said.asked_second: (
            "已记录：申请放行 {finding}，至 {until}。本项目要求两人：须由另一位至少具有 {role} 角色、且不是合并请求作者的人"
            "用 {grant} 批准。"
        ),
        Said.withdrawn: "已撤回：{finding} 不再放行。",
        Said.form: "我没有看懂。请写 {form}。",
        Said.day: "请写明放行到哪一天，例如 {form}；写若干天或若干周也可以。",
        Said.past: "{until} 已经过去，请写一个未来的日期。",
        Said.too_far: "{until} 太远：本项目最多允许 {days} 天。",
        Said.no_reason: "请写明理由，例如 {form}。",
        Said.short_reason: "理由太短：本项目要求至少 {chars} 个字符。",
        Said.which: "哪一个问题？请写明名称，或在其讨论中回复。",
        Said.unknown: "这里没有名为 {named} 的问题。",
        Said.ambiguous: "{named} 可能指多个问题，请写出更长的名称。",
        Said.not_blocking: "{finding} 不阻断合并，无需放行。",
        Said.never: "{finding} 不可放行：本项目的策略不允许。",
        Said.nothing: "没有可撤回的放行。",
        Said.needs_role: "这需要在本项目中至少具有 {role} 角色。",
        Said.switched_off: "本项目已停用放行。",
    },
)

_COMMENT: Final = CommentText(
    headline="**{severity}：{title}**",
    suggested="建议的修改：",
    by_hand="可能的修改，需手动完成，原因是{reason}：",
    removal="可能的修改，需手动完成，原因是{reason}：删除{lines}。",
    line="第 {first} 行",
    lines="第 {first} 至 {last} 行",
    checked="已检查：{evidence}。",
    test="可复现该问题的测试，由模型编写，未经运行",
    see="参见 {references}。",
    and_="、",
    confidence="置信度{confidence}",
    source="{source}。{how_to_answer}",
    asks="代码中的注释要求忽略此问题，但这并不能放行：有权者可在此用 {command} 批准放行。",
    how_to_answer="有意为之或判断有误？将本讨论标记为已解决，就不会再次提出。",
)

_SUMMARY: Final = SummaryText(
    passed="**没有阻断合并的问题。**",
    blocked=Counted(
        "**有 {count} 个问题阻断合并。** 首要问题：{first}。",
        "**有 {count} 个问题阻断合并。** 首要问题：{first}。",
    ),
    exceeded="**已阻断：改动超出策略的限制。** {limits}。请拆分为较小的改动。",
    undecided="**尚无结论。** 未得到结果：{steps}。",
    unread=Counted(
        "**尚无结论。** 有 {count} 个改动的文件无法读取；请拆分改动，或将其移出本次改动。",
        "**尚无结论。** 有 {count} 个改动的文件无法读取；请拆分改动，或将其移出本次改动。",
    ),
    failed="**评审未能进行。**",
    paused="已暂停：在 {resume} 之前，只有用 {review} 要求时才评审新提交。",
    pending="尚未完成：{steps}。本评论会随之更新。",
    nothing="没有需要报告的问题。",
    risk="风险：{level}{reasons}。",
    inline="已在差异中评论（{count}）",
    resolved_at_once="不应阻止合并的讨论会立即标记为已解决；如需讨论，请重新打开。",
    shadowed="若其规则不只是记录，将会阻断（{count}）",
    listed="未在差异中评论（{count}）：",
    waived="已放行（{count}）：",
    waived_hint="用 {command} 可撤回放行。",
    asked="申请放行（{count}）：",
    asked_hint="有权者可评论 {command} 批准。",
    suppressed="被代码中的注释屏蔽（{count}），请确认这是有意的：",
    skipped="未执行：",
    ask_again="模型没有评审本次改动。评论 {review} 可再次请求模型评审；若仍然失败，运维人员可用 {check} 查明原因。",
    not_reviewed="未评审（{count}）：",
    coverage="覆盖范围：{files}中已评审 {reviewed} 个",
    reviewed_by="评审者",
    in_prompts=Counted("模型（{count} 条提示）", "模型（{count} 条提示）"),
    unchanged="模型（此前）",
    unchanged_note="自 {sha} 以来未改动的部分此前已由模型评审，其结果仍然有效。",
    problems="存在的问题：",
    changes="改动（{count}）",
    more="另有 {count} 项",
    severity="严重程度",
    place="位置",
    finding="问题",
    name="名称",
    why="原因",
    file="文件",
    lines="行数",
    what="改动内容",
    nameless="名称不可见的文件",
    reviewed="已评审 {sha}",
    files=Counted("{count} 个文件", "{count} 个文件"),
    added_lines=Counted("新增 {count} 行", "新增 {count} 行"),
    tokens="{count} 个 token",
    seconds="{count} 秒",
    comma="，",
    colon="：",
    stop="。",
    status_failed="评审未能进行，详见摘要",
    status_blocked=Counted("{count} 个问题阻断合并", "{count} 个问题阻断合并"),
    status_exceeded="改动超出策略的限制，详见摘要",
    status_undecided="尚无结论：未得到 {steps} 的结果",
    status_unread=Counted(
        "尚无结论：有 {count} 个改动的文件无法读取", "尚无结论：有 {count} 个改动的文件无法读取"
    ),
    status_waiting="等待：{steps}",
    status_passed="没有阻断合并的问题",
    status_waived=Counted("没有阻断合并的问题；已放行 {count} 个", "没有阻断合并的问题；已放行 {count} 个"),
)

_RISK: Final = RiskText(
    levels={Level.low: "低", Level.medium: "中", Level.high: "高"},
    reasons={
        Ground.grave_findings: Counted("{count} 个严重问题", "{count} 个严重问题"),
        Ground.findings: Counted("{count} 个中等问题", "{count} 个中等问题"),
        Ground.size: Counted("改动 {count} 行", "改动 {count} 行"),
        Ground.files: Counted("{count} 个文件", "{count} 个文件"),
        Ground.sensitive: Counted("涉及访问控制或密钥", "{count} 个文件涉及访问控制或密钥"),
        Ground.data: Counted("改动存储的数据", "{count} 个文件改动存储的数据"),
        Ground.pipeline: Counted("改动流水线或部署", "改动流水线或部署"),
        Ground.dependencies: Counted("改动依赖", "改动依赖"),
        Ground.untested: Counted("代码改动没有测试", "{count} 个文件的代码改动没有测试"),
        Ground.unread: Counted("{count} 个文件未评审", "{count} 个文件未评审"),
    },
)

_FATE: Final = Fate(
    fixed="已修复：在 {sha} 中不再出现。",
    back="在 {sha} 中再次出现。",
    matters="**为何与此处有关：** {explanation}",
    waived="已由 {who} 放行至 {until}：{reason}",
    unwaived="不再放行：此问题重新阻断合并。",
)

_TESTS: Final = ProofText(
    title="**{names} 的单元测试**（{framework}）",
    not_executed="未执行：{reason}。已检查语法。",
    not_tried="没有尝试",
    passed=Counted(
        "已在沙箱中运行：{count} 个测试在最新提交上通过，用时 {seconds} 秒，运行两次",
        "已在沙箱中运行：{count} 个测试在最新提交上通过，用时 {seconds} 秒，运行两次",
    ),
    unsteady="不可用：同一份代码上一次通过、一次失败（{detail}）。",
    failed=Counted(
        "不可用：在最新提交上运行了 {count} 个测试，未通过（{detail}）。",
        "不可用：在最新提交上运行了 {count} 个测试，有的未通过（{detail}）。",
    ),
    broken="不可用：无法在最新提交上运行（{detail}）。",
    no_detail="没有给出原因",
    fails_on_base="在改动前的代码上失败，因此能察觉这次改动",
    passes_on_base="在改动前的代码上也通过，因此察觉不到这次改动",
    broken_on_base="无法在改动前的代码上运行，那里没有所测内容",
    killed="有意植入的 {mutants} 处缺陷中察觉了 {killed} 处",
    survived="，未察觉：{survivor}",
    also="；",
    stop="。",
    comma="、",
    nothing="没有编写单元测试：{reason}。",
    nothing_for="没有为 {names} 编写单元测试：{reason}。",
    apply="将补丁保存为文件，用 `git apply` 应用。",
    apply_or_ask="将补丁保存为文件，用 `git apply` 应用，或加上选项 `--commit` 要求另建合并请求。",
    proposed="通过的测试已作为合并请求提交到源分支：{url}",
    not_proposed="没有另建合并请求，原因：{reason}。",
    proposal="!{iid} 的单元测试",
    proposal_text=(
        "!{iid} 的单元测试，由模型编写；运行情况见该合并请求。合并前请阅读：模型可能写下了错误的预期。"
    ),
)

CHINESE: Final = Wording(
    language="zh",
    talk=_TALK,
    comment=_COMMENT,
    summary=_SUMMARY,
    risk=_RISK,
    fate=_FATE,
    tests=_TESTS,
    severities={
        Severity.critical: "致命",
        Severity.high: "高",
        Severity.medium: "中",
        Severity.low: "低",
        Severity.info: "提示",
    },
    confidences={Confidence.high: "高", Confidence.medium: "中", Confidence.low: "低"},
    phrases=Phrases(PHRASES),
)
