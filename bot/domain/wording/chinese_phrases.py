"""What the other parts say in English, in Chinese."""

from __future__ import annotations

from typing import Final

#: By what the other parts say in English; a test holds them to it.
PHRASES: Final = {
    "model review": "模型评审",
    "the policy leaves drafts out until they are ready": "按照策略，草稿在就绪后才评审",
    "{file} as this merge request leaves it, {problem} Merged like this it does not count, and what holds now stays in"
    " force.": "{file} 在本合并请求修改后有误：{problem} 照此合并不会生效，现行策略继续有效。",
    "semgrep": "semgrep",
    "secrets": "密钥扫描",
    "dependencies": "依赖扫描",
    "generated": "生成的文件",
    "vendored": "第三方代码",
    "lock file": "锁文件",
    "minified": "压缩过的文件",
    "generated: its header says so, and did before this change": "生成的文件：文件头如此声明，且在本次改动之前已有",
    "minified: most of its lines are too long to be read": "压缩过的文件：多数行过长，无法阅读",
    "review.instructions are too long: only the first {kept} of {most} are shown to the model": (
        "review.instructions 过长：{most} 条中只有前 {kept} 条给模型看"
    ),
    "{count} changed lines, more than the {limit} that the policy allows": "改动 {count} 行，超过策略允许的 {limit} 行",
    "{count} changed files, more than the {limit} that the policy allows": "改动 {count} 个文件，超过策略允许的 {limit} 个",
    "{count} % of the added lines were looked at, less than the {limit} % that the policy asks for": (
        "新增行中只检查了 {count} %，低于策略要求的 {limit} %"
    ),
    "the change is too large to be read": "改动过大，无法读取",
    "nothing that ran reads such files": "没有任何环节会读取此类文件",
    "it is deleted": "文件已删除",
    "it is a submodule": "子模块",
    "it is binary, or larger than 10 MB": "二进制文件，或超过 10 MB",
    "its diff is not available": "无法取得差异",
    "its name is not printable": "文件名含不可打印字符",
    "its name holds a secret": "文件名中含有密钥",
    "none of its lines changed": "没有任何行改动",
    "it only loses lines": "只有删除的行",
    "not finished in time": "未能按时完成",
    "too mild or unsure for a comment": "程度较轻或不够确定，不作评论",
    "enough comments already": "评论数量已达上限",
    "the {scope} {name} is muted until {day}: {count} of {of} comments were accepted": (
        "{scope} {name} 静音至 {day}：{of} 条评论中有 {count} 条被采纳"
    ),
    "the {scope} {name} is muted in the group {group} until {day}: {count} of {of} comments were accepted there": (
        "{scope} {name} 在群组 {group} 中静音至 {day}：该群组 {of} 条评论中有 {count} 条被采纳"
    ),
    "a tech lead muted the {scope} {name} in the group {group} until {day}: {reason}": (
        "技术负责人将{scope} {name} 在群组 {group} 中静音至 {day}：{reason}"
    ),
    "a tech lead muted the {scope} {name} until {day}: {reason}": "技术负责人将{scope} {name} 静音至 {day}：{reason}",
    "rule": "规则",
    "category": "类别",
    "somebody lifts it": "有人解除为止",
    "no reason was given": "未说明原因",
    "{count} comments like this one were rejected, on {enough} merge requests or more and by as many people": (
        "{count} 条与此相似的评论曾被拒绝，涉及至少 {enough} 个合并请求和同样多的人"
    ),
    "declined: its thread was deleted": "已谢绝：其讨论已被删除",
    "declined: its thread was resolved while the code stands": "已谢绝：其讨论已标记为已解决，而代码未变",
    "declined in merge request {iid}: {reason}": "已在合并请求 {iid} 中谢绝：{reason}",
    "declined in merge request {iid}": "已在合并请求 {iid} 中谢绝",
    "GitLab has no place for a comment there": "GitLab 无法在该处添加评论",
    "Findings without a second look, so only listed: {count}. Why: {reason}": (
        "未经复核、因此仅列出的问题：{count} 个。原因：{reason}"
    ),
    "No explanations of the scanners' findings: {reason}": "扫描器发现的问题没有附加说明：{reason}",
    "This may be a false positive: {why}": "这可能是误报：{why}",
    "the answer broke off; what it had said until then counts": "回答中断；此前的内容有效",
    "no model is configured": "没有配置模型",
    "{reason}; only {steps} looked at it": "{reason}；只有 {steps} 检查过",
    "excluded by the policy ({glob})": "策略已排除（{glob}）",
    "in commit {sha} of this branch, no longer at the head; still readable there, even after a squash or a rebase": (
        "位于本分支的提交 {sha} 中，最新提交里已没有；但即使压缩提交或变基后仍可在该处读到"
    ),
    "{step}: not all commits of the branch were searched: {reason}.": "{step}：并未检查本分支的全部提交：{reason}。",
    "more than {count} prompts for one merge request: lines {lines}": "一个合并请求的提示超过 {count} 条：第 {lines} 行",
    "line {number} is too long for the model": "第 {number} 行过长，模型无法处理",
    "the model's window of {limit} tokens is too small": "模型的窗口只有 {limit} 个 token，过小",
    "it holds a secret that spans lines": "含有跨行的密钥",
    "until {until} asked for by {who}: {reason}": "{who} 申请放行至 {until}：{reason}",
    "until {until} by {who}: {reason}": "由 {who} 放行至 {until}：{reason}",
    "a comment in the code asks to ignore it": "代码中的注释要求忽略它",
    "new file": "新文件",
    "deleted": "删除",
    "renamed from {path}": "由 {path} 重命名",
    "binary file": "二进制文件",
    "it reaches beyond the end of the file": "超出了文件末尾",
    "it reaches more than 100 lines from the commented line": "距评论所在行超过 100 行",
    "it is too long to be checked in a comment": "过长，无法在评论中核对",
    "it would change nothing": "不会带来任何改动",
    "it would leave only blank lines, which GitLab takes for a deletion": "只会留下空行，而 GitLab 会将其视为删除",
    "it contains characters that cannot be seen": "含有不可见字符",
    "one of its lines looks like a GitLab command": "其中一行形似 GitLab 命令",
    "GitLab would not keep the line endings of the file": "GitLab 不会保留文件的换行符",
    "the code is not valid UTF-8": "代码不是有效的 UTF-8",
    "the file controls pipelines, approvals or reviews": "该文件控制流水线、审批或评审",
    "this thread stands at another line": "本讨论所在的行与之不同",
    "it was not checked": "未经检查",
    "checking it failed": "检查失败",
    "the file could not be read to check it": "无法读取文件以进行检查",
    "too many other fixes were checked before it": "在它之前已检查过多的修复",
    "checking it took too long": "检查耗时过长",
    "its indentation does not fit the lines around it": "缩进与前后各行不符",
    "it leaves brackets open or closes too many": "括号不成对",
    "it would only take code away": "只会删去代码",
    "it would silence a check instead of mending the code": "只会屏蔽检查，而没有改好代码",
    "it names a host that the file does not know": "含有文件中没有的主机名",
    "it imports something new, and the file cannot be parsed to check that": "引入了新的依赖，而文件无法解析，不能核对",
    "it contains what stands in for a secret": "含有代替密钥的占位内容",
    "the file would not parse any more": "修改后文件将无法解析",
    "it would take away a definition that other code may use": "它会删除其他代码可能使用的定义",
    "the finding would still be reported": "问题仍会被报告",
    "the finding could not be reproduced, so nobody knows whether it would be gone": "问题无法重现，因此不知道是否会消失",
    "something new would be reported ({rule})": "会产生新的报告（{rule}）",
    "the changed file could not be scanned": "修改后的文件无法扫描",
    "applies to {head}": "可应用于 {head}",
    "parses": "可以解析",
    "not parsed (no grammar)": "未作解析（没有相应的语法）",
    "secrets and semgrep": "密钥扫描和 semgrep",
    "{scanners} no longer {verb} it": "{scanners} 不再报告此问题",
    "{scanners} reports nothing new": "{scanners} 没有报告新问题",
    "{scanners} report nothing new": "{scanners} 没有报告新问题",
    "GitLab does not apply suggestions to notebooks": "GitLab 不支持对 notebook 应用建议",
    "the operator has not switched the sandbox on": "管理员没有启用沙箱",
    "the project's policy has switched them off": "本项目的策略已停用",
    "the source branch is in a fork, where we do not push; apply the patch there": (
        "源分支位于派生项目中，我们不向那里推送；请在那里应用补丁"
    ),
    "no test passed that could be proposed": "没有通过的测试可以提交",
    "only tests that ran and passed are proposed, and the sandbox, which runs them, is off or lacks what they need": (
        "只提交运行并通过的测试，而运行它们的沙箱没有启用，或缺少所需的环境"
    ),
    "no function that can be tested was changed here": "此处没有改动可测试的函数",
    "no test framework was recognised; there are neither tests nor a manifest": (
        "未能识别测试框架，既没有测试，也没有清单文件"
    ),
    "the model sees nothing that could be tested without the outside world": (
        "模型认为没有可脱离外部环境测试的内容"
    ),
    "what the model wrote does not parse": "模型所写的内容无法解析",
    "the code does not fit into the model's window of {limit} tokens": (
        "代码放不进模型 {limit} 个 token 的窗口"
    ),
    "the test file is not complete": "测试文件不完整",
    "the test file cannot be used: {reason}": "测试文件无法使用：{reason}",
    "{what} is not installed in the sandbox": "沙箱中没有安装 {what}",
    "no Java compiler is installed in the sandbox": "沙箱中没有安装 Java 编译器",
    "JUnit's runner is not among the jars of the sandbox": "沙箱的 jar 中没有 JUnit 的运行程序",
    "it ran into the time limit": "超出时间限制",
    "it ran into the memory limit": "超出内存限制",
    "it started too many processes": "启动的进程过多",
    "it wrote too much": "输出过多",
    "it does not compile": "无法编译",
    "the report cannot be read": "无法读取报告",
    "the repository is larger than 200 MB, too large for the sandbox": "仓库超过 200 MB，沙箱无法容纳",
    "the repository has more than {count} files, too many for the sandbox": "仓库文件超过 {count} 个，沙箱无法容纳",
    "the commit status could not be set: {reason}": "未能设置提交状态：{reason}",
    "the approval could not be given or taken back: {reason}": "未能给出或撤回批准：{reason}",
    "the external status check could not be answered: {reason}": "未能答复外部状态检查：{reason}",
    "{old} became {new} in line {line}": "第 {line} 行的 {old} 变为 {new}",
    "the condition in line {line} was negated": "第 {line} 行的条件取反",
    "returns {what} in line {line}": "第 {line} 行返回 {what}",
}
