"""Danger is acted on once, when it is sure (R8)."""

from callcenter.line.emergency import EmergencyWatch


def test_a_finished_sentence_acts_at_once_and_only_once():
    watch = EmergencyWatch("zh")
    assert not watch.final("喂你好")
    assert watch.final("我家着火了")
    assert not watch.final("火很大")
    assert not watch.partial("着火了着火了", 9000)
    assert watch.text == "喂你好，我家着火了，火很大"


def test_a_word_that_the_recogniser_takes_back_does_nothing():
    watch = EmergencyWatch("zh")
    assert not watch.partial("我家厨房漏电", 1000)
    assert not watch.partial("我家厨房水管漏水", 1900)
    assert not watch.partial("我家厨房漏电", 2300)


def test_a_word_that_stands_for_a_second_acts_before_the_sentence_ends():
    watch = EmergencyWatch("zh")
    assert not watch.partial("有人困在电梯里", 1000)
    assert not watch.partial("有人困在电梯里了", 1500)
    assert watch.partial("有人困在电梯里了三号楼", 2100)


def test_danger_denied_is_none():
    watch = EmergencyWatch("zh")
    assert not watch.final("没有着火，就是问一下物业费")


def test_a_room_that_begins_like_120_is_none():
    watch = EmergencyWatch("zh")
    assert not watch.partial("我要报修一二零", 1000)
    assert not watch.partial("我要报修一二零三", 1400)
    assert not watch.partial("我要报修一二零三室的灯", 2600)
    assert not watch.final("我要报修一二零三室的灯")
