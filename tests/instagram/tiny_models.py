"""Small language models of transformers' own classes, made here and saved as such models are: random ones, and ones that have learned one answer."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
SEEING_CHAT = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}"
    "{% endif %}{% endfor %}{% endfor %}\nassistant:"
)
STEPS = 250


def tokenizer(texts, chat=None):
    """Byte-level BPE, so that every text can be said."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=["<end>", "<pad>", "<image>"],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<end>", pad_token="<pad>", chat_template=chat,  # noqa: S106
        extra_special_tokens={"image_token": "<image>"} if chat == SEEING_CHAT else None,
    )  # fmt: skip


def reading(folder, question, answer=None, *, chat=False):
    """A GPT-2 of a few thousand weights; with an answer it has learned to give it to that question."""
    torch.manual_seed(7)
    tokens = tokenizer([question, answer or ""], CHAT if chat else None)
    config = GPT2Config(
        vocab_size=len(tokens), n_positions=1024, n_embd=64, n_layer=2, n_head=2, eos_token_id=tokens.eos_token_id,
        bos_token_id=tokens.eos_token_id, pad_token_id=tokens.pad_token_id,
    )  # fmt: skip
    model = GPT2LMHeadModel(config)
    if answer:
        asked = tokens(question, return_tensors="pt")["input_ids"]
        _learn(model, {"input_ids": asked}, _ids(tokens, answer))
    _save(folder, model, tokens)


def seeing(folder, messages, image, answer):
    """A LLaVA of a few thousand weights that has learned one answer to one picture and one question."""
    torch.manual_seed(7)
    tokens = tokenizer([messages[0]["content"][1]["text"], answer], SEEING_CHAT)
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    text = LlamaConfig(
        vocab_size=len(tokens), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=1024, eos_token_id=tokens.eos_token_id,
        bos_token_id=tokens.eos_token_id, pad_token_id=tokens.pad_token_id,
    )  # fmt: skip
    image_id = tokens.convert_tokens_to_ids("<image>")
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=image_id, vision_feature_layer=-1
    )
    model = LlavaForConditionalGeneration(config)
    processor = LlavaProcessor(
        CLIPImageProcessor(size={"height": 28, "width": 28}, crop_size={"height": 28, "width": 28}), tokens, patch_size=14,
        vision_feature_select_strategy="default", chat_template=SEEING_CHAT, num_additional_image_tokens=1,
    )  # fmt: skip
    asked = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    _learn(model, dict(asked), _ids(tokens, answer))
    _save(folder, model, processor)


def _ids(tokens, answer):
    return tokens(" " + answer, return_tensors="pt")["input_ids"], tokens.eos_token_id


def _learn(model, asked, answer):
    """Until the answer is the likeliest text after the question."""
    said, end = answer
    said = torch.cat([said, torch.tensor([[end]])], dim=1)
    question = asked["input_ids"]
    ids = torch.cat([question, said], dim=1)
    more = {key: value for key, value in asked.items() if key not in {"input_ids", "attention_mask"}}
    labels = ids.clone()
    labels[:, : question.shape[1]] = -100
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    model.train()
    for _ in range(STEPS):
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, **more).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.02:
            break
    assert loss.item() < 0.1, loss.item()


def _save(folder, model, words):
    model.eval().save_pretrained(folder, safe_serialization=True)
    words.save_pretrained(folder)
