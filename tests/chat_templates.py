"""Chat templates of our own wording with the habits of seven families: what each does to systems, tools, calls,
thoughts and ends of answers, in as little markup as shows it. For the small tokenizer of `tiny_model`."""

from __future__ import annotations

_TOJSON_CALLS = (
    "{% for c in m.tool_calls or [] %}<tool_call>{\"name\": \"{{ c.function.name }}\", \"arguments\": "
    "{{ c.function.arguments | tojson }}}</tool_call>{% endfor %}"
)  # fmt: skip
_TEXT_OR_JSON_CALLS = _TOJSON_CALLS.replace(
    "{{ c.function.arguments | tojson }}",
    "{{ c.function.arguments if c.function.arguments is string else c.function.arguments | tojson }}",
)
_CHATML_TOOLS = "{% if tools %}\n# Tools{% for t in tools %}\n{{ t | tojson }}{% endfor %}{% endif %}"
_ASK = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
_RESULT = "<|im_start|>user\n<tool_response>\n{{ m.content }}\n</tool_response><|im_end|>\n"

# Roles between marks, contents trimmed; a role it does not know is written like the others, calls and tools are not.
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}<|head|>{{ m.role }}<|/head|>\n\n{{ m.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|head|>assistant<|/head|>\n\n{% endif %}"
)
# A system header with a date, also without a system text; one call a message, without what is said beside it.
LLAMA_3_1 = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set policy = messages[0].content | trim %}"
    "{% set rest = messages[1:] %}{% else %}{% set policy = '' %}{% set rest = messages %}{% endif %}"
    "<|head|>system<|/head|>\n\nToday is {{ strftime_now('%d %b %Y') }}\n\n{{ policy }}<|eot|>"
    "{% for m in rest %}{% if m.role == 'user' %}<|head|>user<|/head|>\n\n{% if tools and loop.first %}"
    "Answer with a call of one of these:{% for t in tools %}\n{{ t | tojson }}{% endfor %}\n\n{% endif %}"
    "{{ m.content | trim }}<|eot|>{% elif 'tool_calls' in m %}"
    "{% if m.tool_calls | length != 1 %}{{ raise_exception('One tool call at a time, please.') }}{% endif %}"
    "{% set c = m.tool_calls[0].function %}<|head|>assistant<|/head|>\n\n"
    "{\"name\": \"{{ c.name }}\", \"parameters\": {{ c.arguments | tojson }}}<|eot|>"
    "{% elif m.role == 'tool' %}<|head|>ipython<|/head|>\n\n{{ m.content | tojson }}<|eot|>"
    "{% else %}<|head|>assistant<|/head|>\n\n{{ m.content | trim }}<|eot|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|head|>assistant<|/head|>\n\n{% endif %}"
)  # fmt: skip
# ChatML with a system text of its own where there is none.
QWEN_2_5 = (
    "<|im_start|>system\n{{ messages[0].content if messages[0].role == 'system' else 'You are a kind assistant made "
    "by nobody.' }}" + _CHATML_TOOLS + "<|im_end|>\n{% for m in messages %}{% if m.role == 'user' %}"
    "<|im_start|>user\n{{ m.content }}<|im_end|>\n{% elif m.role == 'assistant' %}<|im_start|>assistant\n"
    "{{ m.content }}" + _TOJSON_CALLS + "<|im_end|>\n{% elif m.role == 'tool' %}" + _RESULT + "{% endif %}"
    "{% endfor %}" + _ASK
)
# Thoughts stay as long as no user has spoken again; the last answer gets an empty thought where it has none.
QWEN_3 = (
    "{% if messages[0].role == 'system' or tools %}<|im_start|>system\n{% if messages[0].role == 'system' %}"
    "{{ messages[0].content }}{% endif %}" + _CHATML_TOOLS + "<|im_end|>\n{% endif %}{% set ns = namespace(last=0) %}"
    "{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>user\n{{ m.content }}<|im_end|>\n"
    "{% elif m.role == 'assistant' %}{% set said = m.content.split('</think>')[-1].lstrip('\n') %}"
    "{% set thought = m.content.split('</think>')[0].split('<think>')[-1].strip('\n') if '</think>' in m.content "
    "else '' %}"
    "<|im_start|>assistant\n{% if loop.index0 > ns.last and (loop.last or thought) %}<think>\n{{ thought }}\n</think>"
    "\n\n{% endif %}{{ said }}" + _TEXT_OR_JSON_CALLS + "<|im_end|>\n{% elif m.role == 'tool' %}" + _RESULT +
    "{% endif %}{% endfor %}" + _ASK
)  # fmt: skip
# The policy stands in the first user message; user and model by turns, nothing else.
GEMMA_3 = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set policy = messages[0].content + '\n\n' %}"
    "{% set rest = messages[1:] %}{% else %}{% set policy = '' %}{% set rest = messages %}{% endif %}"
    "{% for m in rest %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('User and assistant by turns, please.') }}{% endif %}"
    "<|turn|>{{ 'model' if m.role == 'assistant' else m.role }}\n{% if loop.first %}{{ policy }}{% endif %}"
    "{{ m.content | trim }}<|/turn|>\n{% endfor %}{% if add_generation_prompt %}<|turn|>model\n{% endif %}"
)
# The policy stands before the last user message, and only while nobody has answered; ids of nine characters.
MISTRAL_0_3 = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set policy = messages[0].content %}"
    "{% set rest = messages[1:] %}{% else %}{% set policy = '' %}{% set rest = messages %}{% endif %}"
    "{% set ns = namespace(last=-1) %}{% for m in rest %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}"
    "{% endif %}{% endfor %}{% for m in rest %}{% if m.role == 'user' %}{% if tools and loop.index0 == ns.last %}"
    "[TOOLS] {{ tools | tojson }}[/TOOLS]{% endif %}[INST] {% if loop.last and policy %}{{ policy }}\n\n{% endif %}"
    "{{ m.content }}[/INST]{% elif m.tool_calls %}[CALLS] [{% for c in m.tool_calls %}"
    "{% if c.id | length != 9 %}{{ raise_exception('Call ids have nine characters.') }}{% endif %}"
    "{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}, "
    "\"id\": \"{{ c.id }}\"}{% if not loop.last %}, {% endif %}{% endfor %}]<|end|>"
    "{% elif m.role == 'assistant' %} {{ m.content | trim }}<|end|>"
    "{% elif m.role == 'tool' %}[RESULTS] {\"content\": {{ m.content }}, \"id\": \"{{ m.tool_call_id }}\"}[/RESULTS]"
    "{% endif %}{% endfor %}"
)  # fmt: skip
# Thoughts are cut from every answer; arguments are to be text; tools are not written.
DEEPSEEK_R1 = (
    "{{ bos_token }}{% for m in messages if m.role == 'system' %}{{ m.content }}{% endfor %}"
    "{% for m in messages %}{% if m.role == 'user' %}<|User|>{{ m.content }}"
    "{% elif m.role == 'assistant' %}<|Assistant|>{{ m.content.split('</think>')[-1].lstrip('\n') }}"
    "{% for c in m.tool_calls or [] %}<|call|>{{ c.type }}<|sep|>{{ c.function.name + '\n```json\n' + "
    "c.function.arguments + '\n```' }}<|/call|>{% endfor %}<|end|>{% elif m.role == 'tool' %}<|out|>{{ m.content }}"
    "<|/out|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|Assistant|>{% endif %}"
)
FAMILIES = {
    "Llama 3": LLAMA_3, "Llama 3.1": LLAMA_3_1, "Qwen 2.5": QWEN_2_5, "Qwen 3": QWEN_3, "Gemma 3": GEMMA_3,
    "Mistral v0.3": MISTRAL_0_3, "DeepSeek-R1": DEEPSEEK_R1,
}  # fmt: skip
