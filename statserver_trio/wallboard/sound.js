// Two tones when an alarm begins; silent until somebody asks for it, as browsers want it, too.

const TONES = [[880, 0], [660, 0.18]]; // hertz, and when, in seconds
const TONE_SECONDS = 0.16;
const LOUDNESS = 0.2;

/** The bell. */
export class Bell {
  constructor() {
    this.isOn = false;
    this._audio = null;
  }

  /**
   * Turn it on or off. Where nobody has clicked yet a browser may want somebody to do so, anywhere
   * on the page; `chromium --autoplay-policy=no-user-gesture-required` does not, for a TV.
   */
  turn(isOn) {
    this.isOn = isOn;
    if (!isOn) return;
    this._audio ??= new AudioContext();
    this._audio.resume();
    const wake = () => this._audio.resume();
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, wake, {once: true});
  }

  ring() {
    if (!this.isOn || this._audio === null) return;
    const volume = this._audio.createGain();
    volume.gain.value = LOUDNESS;
    volume.connect(this._audio.destination);
    for (const [frequency, after] of TONES) {
      const tone = this._audio.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(volume);
      tone.start(this._audio.currentTime + after);
      tone.stop(this._audio.currentTime + after + TONE_SECONDS);
    }
  }
}
