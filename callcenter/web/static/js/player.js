// <call-player src peaks duration>: the waveform of both sides; the words of the transcript follow, and lead when clicked.
import WaveSurfer from "../vendor/wavesurfer-7.12.12.esm.js";
import { minutes, texts } from "./clock.js";

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

class CallPlayer extends HTMLElement {
  async connectedCallback() {
    this.audio = document.createElement("audio");
    this.audio.preload = "none";
    this.button = this.querySelector("[data-play]");
    this.position = this.querySelector("[data-position]");
    this.rate = this.querySelector("[data-rate]");
    this.button.addEventListener("click", () => this.toggle());
    this.querySelector("[data-back]")?.addEventListener("click", () => this.seek(this.audio.currentTime - 5));
    this.querySelector("[data-on]")?.addEventListener("click", () => this.seek(this.audio.currentTime + 5));
    this.rate?.addEventListener("click", () => {
      const rates = [1, 1.25, 1.5, 2, 0.75];
      this.audio.playbackRate = rates[(rates.indexOf(this.audio.playbackRate) + 1) % rates.length];
      this.rate.textContent = `${this.audio.playbackRate}×`;
    });
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.state());
    this.audio.addEventListener("timeupdate", () => this.follow());
    this.audio.addEventListener("error", () => { this.querySelector("[data-failed]").hidden = false; });
    let peaks;
    try {
      const answer = await fetch(this.getAttribute("peaks"));
      if (!answer.ok) throw new Error(String(answer.status));
      peaks = (await answer.json()).peaks;
    } catch {
      this.querySelector("[data-failed]").hidden = false;
      return;
    }
    if (!this.isConnected) return;
    const look = { height: 34, barWidth: 2, barGap: 1, barRadius: 1, normalize: false };
    this.wave = WaveSurfer.create({
      container: this.querySelector("[data-wave]"), media: this.audio, url: this.getAttribute("src"), peaks,
      duration: Number(this.getAttribute("duration")), cspNonce: document.querySelector("meta[name=style-nonce]").content,
      ...look, cursorColor: ink("--ink"), cursorWidth: 1, dragToSeek: true, progressColor: ink("--accent"),
      splitChannels: peaks.map(() => ({ waveColor: ink("--line-strong"), progressColor: ink("--accent"), ...look })),
    });
    this.wave.on("seeking", () => this.follow());
    this.spoken = null;
    this.loop = () => { this.follow(); if (!this.audio.paused) requestAnimationFrame(this.loop); };
    this.dataset.ready = "1";
  }

  disconnectedCallback() {
    this.audio?.pause();
    this.wave?.destroy();
  }

  toggle() { if (this.audio.paused) this.audio.play().catch(() => {}); else this.audio.pause(); }

  seek(seconds) {
    this.wave?.setTime(Math.max(0, seconds));
    this.follow();
  }

  state() {
    const playing = !this.audio.paused;
    this.button.querySelector("use").setAttribute("href", this.button.querySelector("use").getAttribute("href").replace(/#\w+/, playing ? "#pause" : "#play"));
    this.button.setAttribute("aria-label", playing ? texts.pause : texts.play);
    this.dataset.playing = playing ? "1" : "";
    if (playing) requestAnimationFrame(this.loop);
  }

  follow() {
    const at = this.audio.currentTime * 1000;
    if (this.position) this.position.textContent = minutes(at);
    this.marks ??= [...document.querySelectorAll(".talk [data-s]")].map((node) => [Number(node.dataset.s), Number(node.dataset.e), node]);
    const now = this.marks.filter(([start, end]) => start <= at && at < end).map(([, , node]) => node);
    for (const node of this.spoken ?? []) if (!now.includes(node)) node.classList.remove("spoken");
    for (const node of now) if (!node.classList.contains("spoken")) {
      node.classList.add("spoken");
      if (!this.audio.paused) node.closest("li")?.scrollIntoView({ block: "nearest" });
    }
    this.spoken = now;
  }
}
customElements.define("call-player", CallPlayer);

document.addEventListener("click", (event) => {
  const word = event.target.closest?.(".talk [data-s]");
  if (!word || String(getSelection()).length) return;
  const player = document.querySelector("call-player");
  player?.seek(Number(word.dataset.s) / 1000 + 0.001);
});
